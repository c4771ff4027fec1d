"""KFP face of the merge step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/merge", install_kfp_package=False)
def merge(
    synthetic: dsl.Input[list[dsl.Dataset]],
    merged: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    task: str,
    merge_dataset: str,
    merge_dataset_revision: str,
    merge_test_fraction: float,
    merge_options: dict[str, object],
    seed: int,
) -> None:
    """Join real and synthetic rows into train, validation and test splits."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.merge.run import merge
    from components.merge.settings import MergeSettings
    from components.options import settings_of

    start_logging()
    described = merge(
        settings_of(
            MergeSettings,
            task=task,
            merge_dataset=merge_dataset,
            merge_dataset_revision=merge_dataset_revision,
            merge_test_fraction=merge_test_fraction,
            merge_options=merge_options,
            seed=seed,
        ),
        [Path(each.path) for each in synthetic],
        Path(merged.path),
        report=Path(report.path),
    )
    merged.metadata.update(rows=described.rows, removed=described.removed)
