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
    test_fraction: float,
    merge_options: dict[str, object],
    seed: int,
) -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.merge.run import merge
    from components.merge.settings import MergeSettings
    from components.options import with_options

    start_logging()
    settings = with_options(
        MergeSettings,
        merge_options,
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        test_fraction=test_fraction,
        seed=seed,
    )
    folders = [Path(each.path) for each in synthetic]
    result = merge(settings, folders, Path(merged.path), report=Path(report.path))
    merged.metadata.update(rows=result.rows, removed=result.removed)
