"""KFP face of the merge step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/merge", install_kfp_package=False)
def merge(
    synthetic: dsl.Input[list[dsl.Dataset]],
    merged: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    task: str,
    dataset: str,
    dataset_revision: str,
    text_column: str,
    label_column: str,
    label_map: dict[str, str],
    test_fraction: float,
    validation_fraction: float,
    pool: bool,
    max_train_rows: int,
    synthetic_per_label: int,
    max_synthetic_share: float,
    top_up: bool,
    sample_weights: bool,
    min_agreement: float,
    agreement_action: str,
    leak_similarity: float,
    max_leak_share: float,
    max_label_shift: float,
    max_invalid_share: float,
    max_characters: int,
    seed: int,
) -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    from pathlib import Path

    from components.logs import start_logging
    from components.merge.run import data_report, merge
    from components.merge.settings import MergeSettings

    start_logging()
    settings = MergeSettings(
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        text_column=text_column,
        label_column=label_column,
        label_map=label_map,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        pool=pool,
        max_train_rows=max_train_rows,
        synthetic_per_label=synthetic_per_label,
        max_synthetic_share=max_synthetic_share,
        top_up=top_up,
        sample_weights=sample_weights,
        min_agreement=min_agreement,
        agreement_action=agreement_action,
        leak_similarity=leak_similarity,
        max_leak_share=max_leak_share,
        max_label_shift=max_label_shift,
        max_invalid_share=max_invalid_share,
        max_characters=max_characters,
        seed=seed,
    )
    folders = [Path(each.path) for each in synthetic]
    result = merge(settings, folders, Path(merged.path))
    page = data_report(result, folders)
    Path(report.path).write_text(page, encoding="utf-8")
    rows, removed = result.description["rows"], result.description["removed"]
    merged.metadata.update(rows=rows, removed=removed)
