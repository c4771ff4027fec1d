"""The report page: one HTML file that needs nothing else."""

from collections.abc import Sequence

from components.evaluate import pictures
from components.evaluate.compare import MAJORITY, TFIDF
from components.evaluate.evaluation import Evaluation
from components.evaluate.inputs import History
from components.evaluate.mistakes import Mistake
from components.reports import data_uri, render_page


def render(evaluation: Evaluation, history: History, mistakes: Sequence[Mistake]) -> str:
    """Write the report on a model as a self-contained HTML page.

    Args:
        evaluation: The scores and the verdict.
        history: What was measured while training.
        mistakes: The most confident mistakes on the test split.
    """
    return render_page(
        "evaluate/report.html.j2",
        evaluation=evaluation,
        compared=_compared(evaluation),
        sources=_sources(evaluation),
        mistakes=mistakes,
        confusion_matrix=data_uri(
            pictures.confusion_matrix(evaluation.test.confusion_matrix, evaluation.labels)
        ),
        learning_curves=data_uri(pictures.learning_curves(history)),
    )


def _compared(evaluation: Evaluation) -> list[dict[str, object]]:
    """The key figures: classifier, split and scores."""
    baselines = evaluation.baselines
    return [
        {"classifier": "This model", "split": "test", "scores": evaluation.test},
        {"classifier": "This model", "split": "validation", "scores": evaluation.validation},
        {
            "classifier": "TF-IDF + logistic regression",
            "split": "test",
            "scores": baselines[TFIDF],
        },
        {"classifier": "Most frequent label", "split": "test", "scores": baselines[MAJORITY]},
    ]


def _sources(evaluation: Evaluation) -> list[str]:
    """Every source that a split has rows of, in order of appearance."""
    return list(dict.fromkeys(source for split in evaluation.rows.values() for source in split))
