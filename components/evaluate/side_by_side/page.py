"""The page that shows two runs side by side: one self-contained HTML file."""

from components.evaluate.report.pictures import confusion_matrix, paired_bars
from components.evaluate.side_by_side import differences
from components.evaluate.side_by_side.runs import Run, have_same_test_rows, require_comparable
from components.reports import data_uri, render_page, shorten


def render(first: Run, second: Run) -> str:
    """Write the page on two runs.

    Raises:
        InputError: If they are runs of different tasks.
    """
    require_comparable(first, second)
    before, after = first.evaluation, second.evaluation
    bars = {
        f"{letter}: {shorten(run.name)}": [
            (scores.f1, run.evaluation.intervals.per_label[label].f1)
            for label, scores in run.evaluation.test.per_label.items()
        ]
        for letter, run in zip("AB", (first, second), strict=True)
    }
    return render_page(
        "evaluate/side_by_side/page.html.j2",
        runs=(first, second),
        same_rows=have_same_test_rows(first, second),
        figures=differences.figures(before, after),
        errors=differences.errors(before, after),
        labels=differences.label_f1(before, after),
        confusions=differences.confusions(before, after),
        slices=differences.slices(before, after),
        settings=differences.settings(first, second),
        counts=differences.counts(first, second),
        matrices=[data_uri(confusion_matrix(each.test, each.labels)) for each in (before, after)],
        f1_bars=data_uri(paired_bars(before.labels, bars)),
    )
