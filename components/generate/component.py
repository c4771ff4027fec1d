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
    few_shot: int,
    request_budget: int,
    token_budget: int,
    minutes_budget: float,
    llm_concurrency: int,
    allow_partial: bool,
    near_duplicate_similarity: float,
    language: str,
    unsafe_filter: bool,
    ledger: str,
    dataset: str,
    dataset_revision: str,
    text_column: str,
    label_column: str,
    label_map: dict[str, str],
    test_fraction: float,
    validation_fraction: float,
    seed: int,
) -> None:
    """Let an LLM write its share of the labelled texts."""
    import os
    from pathlib import Path

    from components.generate.examples import train_examples
    from components.generate.run import generate
    from components.generate.settings import GenerateSettings
    from components.logs import start_logging
    from components.merge.settings import MergeSettings

    start_logging()
    settings = GenerateSettings(
        task=task,
        models=models,
        model=model,
        samples_per_label=samples_per_label,
        style=style,
        few_shot=few_shot,
        request_budget=request_budget,
        token_budget=token_budget,
        minutes_budget=minutes_budget,
        llm_concurrency=llm_concurrency,
        allow_partial=allow_partial,
        near_duplicate_similarity=near_duplicate_similarity,
        language=language,
        unsafe_filter=unsafe_filter,
        ledger=ledger,
        seed=seed,
    )
    real = MergeSettings(
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        text_column=text_column,
        label_column=label_column,
        label_map=label_map,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        seed=seed,
    )
    examples = train_examples(real) if few_shot else {}
    api_key = os.environ.get("LLM_API_KEY", "")
    synthetic.metadata.update(generate(settings, Path(synthetic.path), api_key, examples))
