"""A whole evaluation of an invented model, with something in every field."""

from dataclasses import replace

import numpy as np

from components.artifacts.evaluation import Evaluation
from components.artifacts.evaluation.comparison import (
    MAJORITY,
    TFIDF,
    ChampionScores,
    Comparison,
    Difference,
    McNemar,
    Rule,
    Verdict,
)
from components.artifacts.evaluation.scores import (
    Interval,
    LabelError,
    Mistake,
    Robustness,
    Slice,
    WordWeight,
)
from components.artifacts.model.history import History
from components.evaluate.measure.intervals import intervals
from components.evaluate.measure.scores import score

LABELS = ("red", "green", "blue")
TRUTH = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 1, 1, 2, 0])


def scores_of(labels, predicted=PREDICTED):
    """Scores and intervals of six rows."""
    scores = score(TRUTH, 0.7 * np.eye(3)[predicted] + 0.1, labels)
    return scores, intervals(TRUTH, predicted, labels, 50, 0)


def _comparison(other, sentence):
    difference = Difference(0.1, Interval(0.05, 0.2), 0.01)
    return Comparison(other, "test", 6, difference, McNemar(0.1, 2, 1, 0.5), "better", sentence)


SCORES, INTERVALS = scores_of(LABELS)
POOR, _ = scores_of(LABELS, np.zeros(6, int))
EVALUATION = Evaluation(
    task="colour",
    labels=LABELS,
    model_version="ab" * 32,
    temperature=1.375,
    rows={"train": {"real": 11, "synthetic": 31}, "validation": {"real": 6}, "test": {"real": 6}},
    test=SCORES,
    intervals=INTERVALS,
    validation=SCORES,
    test_fp32=SCORES,
    validation_fp32=SCORES,
    torch_validation={"accuracy": 0.912, "macro_f1": 0.887},
    uncalibrated_error=0.123,
    out_of_domain=POOR,
    baselines={MAJORITY: POOR, TFIDF: POOR},
    real_only=POOR,
    champion=ChampionScores("run-7", "cd" * 32, 42, POOR),
    comparisons=(
        _comparison(TFIDF, "The model is better than TF-IDF."),
        _comparison("real_only", "Synthetic rows helped."),
        _comparison("champion", "The model is better than the champion."),
    ),
    slices=(
        Slice("Length", "up to 5 words", 4, 0.67, 0.5, Interval(0.2, 0.8), 0.4, 33.3),
        Slice("Length", "more than 5 words", 20, 0.33, 1.0, Interval(0.3, 1.0), 1.0, -16.7),
    ),
    robustness=(
        Robustness("typos", "so very blue", "so vrey bleu", 6, 0.5, 12.5, 0.3),
        Robustness("a negation", "it is red", "it is not red", 2, None, None, 0.1),
    ),
    mistakes=(
        Mistake(
            5, "deep sea", "blue", "red", 0.987, (WordWeight("deep", 2.0), WordWeight("sea", -1.0))
        ),
    ),
    label_errors=(LabelError(2, "red as grass", "green", "red", 0.02, 0.95),),
    verdict=Verdict(
        True,
        (
            Rule("min_accuracy", 0.8333, 0.8, True, "Accuracy 0.8333 reaches the required 0.8."),
            Rule("champion", None, 0.05, True, "No model is in service yet."),
        ),
    ),
)
HISTORY = History(
    train=[
        {"step": 1, "epoch": 0.5, "loss": 2.0, "learning_rate": 1e-3},
        {"step": 2, "epoch": 1.0, "loss": 1.0},
    ],
    validation=[{"epoch": 1, "loss": 1.2, "accuracy": 0.7, "macro_f1": 0.6}],
    best_epoch=1.0,
    rows_per_second=321.0,
)


def evaluated(*, passed=True, generation=0):
    """The evaluation of a model with this verdict of the gate.

    Args:
        passed: The verdict.
        generation: Generation of the champion that it was compared with; 0 for no champion.
    """
    champion = replace(EVALUATION.champion, generation=generation) if generation else None
    verdict = replace(EVALUATION.verdict, passed=passed)
    return replace(EVALUATION, champion=champion, verdict=verdict)


def write_evaluation(path, **more):
    """Write an evaluation as evaluate does, and return the path; `more` as for `evaluated`."""
    path.write_text(evaluated(**more).to_json())
    return path
