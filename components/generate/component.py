"""KFP face of the generate step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/generate", install_kfp_package=False)
def generate(
    synthetic: dsl.Output[dsl.Dataset],
    task: str,
    branch: dict[str, object],
    generate_samples_per_label: int,
    generate_style: str,
    generate_options: dict[str, object],
    merge_dataset: str,
    merge_dataset_revision: str,
    merge_test_fraction: float,
    merge_options: dict[str, object],
    seed: int,
) -> None:
    """Let an LLM write its share of the labelled texts."""
    import os
    from pathlib import Path

    from components.command_line import start_logging
    from components.generate.run import generate
    from components.generate.settings import GenerateSettings
    from components.merge.settings import MergeSettings
    from components.options import settings_of

    start_logging()
    counts = generate(
        settings_of(
            GenerateSettings,
            task=task,
            **branch,
            generate_samples_per_label=generate_samples_per_label,
            generate_style=generate_style,
            generate_options=generate_options,
            seed=seed,
        ),
        Path(synthetic.path),
        api_key=os.environ.get("LLM_API_KEY", ""),
        data=settings_of(
            MergeSettings,
            task=task,
            merge_dataset=merge_dataset,
            merge_dataset_revision=merge_dataset_revision,
            merge_test_fraction=merge_test_fraction,
            merge_options=merge_options,
            seed=seed,
        ),
    )
    synthetic.metadata.update(counts)
