"""KFP face of the generate step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/generate", install_kfp_package=False)
def generate(
    synthetic: dsl.Output[dsl.Dataset],
    task: str,
    models: list[str],
    samples_per_label: int,
    request_budget: int,
    llm_concurrency: int,
    allow_partial: bool,
    seed: int,
) -> None:
    """Let LLMs write labelled texts."""
    import os
    from pathlib import Path

    from components.generate.run import generate
    from components.generate.settings import GenerateSettings
    from components.logs import start_logging

    start_logging()
    settings = GenerateSettings(
        task=task,
        models=models,
        samples_per_label=samples_per_label,
        request_budget=request_budget,
        llm_concurrency=llm_concurrency,
        allow_partial=allow_partial,
        seed=seed,
    )
    counts = generate(settings, Path(synthetic.path), os.environ.get("LLM_API_KEY", ""))
    synthetic.metadata.update(counts)
