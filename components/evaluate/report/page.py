"""The report page: one self-contained HTML file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.artifacts.evaluation import Evaluation
from components.artifacts.evaluation.comparison import MAJORITY, TFIDF
from components.artifacts.evaluation.scores import Interval, Scores, WordWeight
from components.artifacts.model.history import History
from components.evaluate.report import pictures
from components.reports import data_uri, render_page

_NAMES = {MAJORITY: "Most frequent label", TFIDF: "TF-IDF + logistic regression"}
_SHADES = 3
_WORDS_SHOWN = 100


@dataclass(frozen=True)
class Line:
    """A line of the key figures; an interval is None where none was estimated."""

    classifier: str
    accuracy: float
    macro_f1: float
    accuracy_interval: Interval | None = None
    macro_f1_interval: Interval | None = None


@dataclass(frozen=True)
class Shaded:
    """A word, and from -3 to 3 how strongly it speaks against or for the predicted label."""

    word: str
    shade: int


def render(evaluation: Evaluation, history: History) -> str:
    """Write the report on a model as a self-contained HTML page.

    Args:
        evaluation: The evaluation of the model.
        history: Measurements of its training.
    """
    test = evaluation.test
    shown = {mistake.row for mistake in evaluation.mistakes}
    drawn = {
        "confusion_matrix": pictures.confusion_matrix(test, evaluation.labels),
        "label_bars": pictures.label_bars(test.per_label, evaluation.intervals),
        "reliability": pictures.reliability_diagram(test.reliability),
        "learning_curves": pictures.learning_curves(history),
    }
    return render_page(
        "evaluate/report/report.html.j2",
        evaluation=evaluation,
        history=history,
        key_figures=_key_figures(evaluation),
        sources=_sources(evaluation),
        longest_slice_bar=_largest(part.drop for part in evaluation.slices if not part.is_small),
        longest_change_bar=_largest(change.drop or 0 for change in evaluation.robustness),
        shaded=[_shaded(mistake.words) for mistake in evaluation.mistakes],
        doubtful={error.row for error in evaluation.label_errors},
        other_label_errors=[each for each in evaluation.label_errors if each.row not in shown],
        pictures={name: data_uri(svg) for name, svg in drawn.items()},
        trials=sorted(history.trials, key=lambda each: each.macro_f1 or 0.0, reverse=True),
        searched=list(dict.fromkeys(name for each in history.trials for name in each.settings)),
    )


def _key_figures(evaluation: Evaluation) -> dict[str, list[Line]]:
    """Accuracy and macro-F1 by the rows they were measured on, the served model first."""
    served, precise = "This model as served (int8)", "This model in full precision"
    test, bounds, torch = evaluation.test, evaluation.intervals, evaluation.torch_validation
    champion = evaluation.champion.scores if evaluation.champion else None
    rivals = {
        precise: evaluation.test_fp32,
        "The model in service": champion,
        "Trained without synthetic rows": evaluation.real_only,
        **{_NAMES.get(name, name): scores for name, scores in evaluation.baselines.items()},
    }
    return {
        "Test split": [
            Line(served, test.accuracy, test.macro_f1, bounds.accuracy, bounds.macro_f1),
            *_lines(rivals),
        ],
        "Out-of-domain text": _lines({served: evaluation.out_of_domain}),
        "Validation split": [
            *_lines({served: evaluation.validation, precise: evaluation.validation_fp32}),
            Line("As measured by train", torch["accuracy"], torch["macro_f1"]),
        ],
    }


def _lines(scores: Mapping[str, Scores | None]) -> list[Line]:
    """A line for each classifier that has scores."""
    return [Line(name, each.accuracy, each.macro_f1) for name, each in scores.items() if each]


def _sources(evaluation: Evaluation) -> list[str]:
    """Every source that a split has rows of, in order of appearance."""
    return list(dict.fromkeys(source for split in evaluation.rows.values() for source in split))


def _largest(points: Iterable[float]) -> float:
    """The largest drop or gain, at least one point, so that noise looks small."""
    return max(1.0, *map(abs, points), 0.0)


def _shaded(words: Sequence[WordWeight]) -> list[Shaded]:
    strongest = max((abs(each.weight) for each in words), default=0.0) or 1.0
    return [
        Shaded(each.word, round(_SHADES * each.weight / strongest)) for each in words[:_WORDS_SHOWN]
    ]
