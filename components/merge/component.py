"""KFP face of the merge step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/merge", install_kfp_package=False)
def merge(
    synthetic: dsl.Input[dsl.Dataset],
    merged: dsl.Output[dsl.Dataset],
    task: str,
    dataset: str,
    dataset_revision: str,
    test_fraction: float,
    validation_fraction: float,
    max_train_rows: int,
    seed: int,
) -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    from pathlib import Path

    from components.logs import start_logging
    from components.merge.run import merge
    from components.merge.settings import MergeSettings

    start_logging()
    settings = MergeSettings(
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        max_train_rows=max_train_rows,
        seed=seed,
    )
    rows = Path(synthetic.path) / "synthetic_emotions.json"
    description = merge(settings, rows, Path(merged.path))
    merged.metadata.update(rows=description["rows"], removed=description["removed_from_train"])
