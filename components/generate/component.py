"""KFP face of the generate step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/generate", install_kfp_package=False)
def generate(
    synthetic: dsl.Output[dsl.Dataset],
    task: str,
    models: list[str],
    model: str,
    samples_per_label: int,
    style: str,
    generate_options: dict[str, object],
    dataset: str,
    dataset_revision: str,
    test_fraction: float,
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
    from components.options import with_options

    start_logging()
    settings = with_options(
        GenerateSettings,
        generate_options,
        task=task,
        models=models,
        model=model,
        samples_per_label=samples_per_label,
        style=style,
        seed=seed,
    )
    real = with_options(
        MergeSettings,
        merge_options,
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        test_fraction=test_fraction,
        seed=seed,
    )
    api_key = os.environ.get("LLM_API_KEY", "")
    synthetic.metadata.update(generate(settings, Path(synthetic.path), api_key, real))
