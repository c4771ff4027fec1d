"""The merge step: one data set of real and synthetic rows, split before anything else."""

import logging
from collections.abc import Sequence
from pathlib import Path

from components.artifacts.dataset import TRAIN, Description, write_dataset
from components.artifacts.synthetic import LEDGER
from components.artifacts.task import load_task
from components.merge.agreement import filter_labels
from components.merge.audit import Audit
from components.merge.clean import clean_train, remove_leaks
from components.merge.description import describe
from components.merge.ledgers import read_ledgers
from components.merge.mixing import mix
from components.merge.report import DataReport, render
from components.merge.rows import (
    divide,
    held_out,
    read_all_synthetic,
    read_real,
    require_similar_labels,
)
from components.merge.settings import MergeSettings

PROBLEMS = "problems.csv"

_log = logging.getLogger(__name__)


def merge(
    settings: MergeSettings,
    synthetic: Sequence[Path],
    output: Path,
    problems: Path | None = None,
    report: Path | None = None,
) -> Description:
    """Write a merged data set (see `artifacts.dataset`) and a report on it.

    Validation and test are drawn from the real rows before a synthetic row is looked at
    (unless `pool` is on). Everything that is removed is removed from train, and counted.

    Args:
        settings: Where the real rows come from, what is checked and how rows are mixed.
        synthetic: Folders of the generate step; none for real rows only.
        output: Folder for the data set.
        problems: CSV file for the rows that a check finds; `problems.csv` beside `output` if
            not given. It stays when the step fails.
        report: HTML file for the data report; None for no report.

    Raises:
        InputError: If a source is missing, or a check finds more than its setting allows.
    """
    task = load_task(settings.task)
    audit = Audit(task.names, problems or output.with_name(PROBLEMS))
    real, origin = read_real(settings, task, audit)
    extra, origins = read_all_synthetic(synthetic, settings, task, audit)
    splits = divide(real, extra, settings)
    require_similar_labels(splits, settings, audit)
    train = remove_leaks(splits[TRAIN], held_out(splits), settings, audit)
    train = clean_train(train, audit)
    train, agreement = filter_labels(train, settings, audit)
    splits[TRAIN] = mix(train, settings, audit)
    _log.info("merge: rows removed from train: %s", dict(+audit.removed))
    described = describe(splits, task, settings, audit, agreement, [origin, *origins])
    description = write_dataset(splits, described, output)
    if report:
        ledgers = [folder / LEDGER for folder in synthetic if (folder / LEDGER).is_file()]
        page = render(DataReport(description, splits, audit.examples(), read_ledgers(ledgers)))
        report.write_text(page, encoding="utf-8")
    return description
