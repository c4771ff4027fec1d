"""Everything that is measured of a model, put together."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.evaluation import ChampionScores, Evaluation
from components.artifacts.model.classifier import Classifier
from components.evaluate.gate.judge import Evidence, Verdict, judge
from components.evaluate.given import Given
from components.evaluate.measure.baselines import MAJORITY, TFIDF
from components.evaluate.measure.comparison import CHAMPION, REAL_ONLY
from components.evaluate.measure.intervals import Intervals, intervals
from components.evaluate.measure.label_errors import likely_label_errors
from components.evaluate.measure.mistakes import most_confident_mistakes
from components.evaluate.measure.predict import predict
from components.evaluate.measure.reliability import uncalibrated_error
from components.evaluate.measure.rivals import Rivals, compare_with_rivals
from components.evaluate.measure.robustness import robustness
from components.evaluate.measure.scores import Scores, score
from components.evaluate.measure.slices import slice_scores
from components.evaluate.settings import EvaluateSettings


def assess(settings: EvaluateSettings, given: Given) -> Evaluation:
    """Measure a model, compare it with others and apply the gate."""
    data, labels, served = given.dataset, given.task.names, given.served
    test = predict(served, data.test, "test")
    test_scores = score(data.test.labels, test, labels)
    test_fp32 = _score(given.full, data.test, "test, full precision")
    rivals = compare_with_rivals(settings, given, test)
    return Evaluation(
        task=given.task.name,
        labels=labels,
        model_version=served.version,
        temperature=served.temperature,
        rows=data.description.rows,
        test=test_scores,
        intervals=_intervals(settings, data.test, test, labels),
        validation=_score(served, data.validation, "validation"),
        test_fp32=test_fp32,
        validation_fp32=_score(given.full, data.validation, "validation, full precision"),
        torch_validation=given.history.best,
        uncalibrated_error=uncalibrated_error(data.test.labels, test, served.temperature),
        out_of_domain=rivals.out_of_domain,
        baselines={name: rivals.test[name] for name in (MAJORITY, TFIDF)},
        real_only=rivals.test.get(REAL_ONLY),
        champion=_champion(given, rivals),
        comparisons=rivals.comparisons,
        slices=slice_scores(data, test, given.task),
        robustness=robustness(served, data.test, test, settings.seed),
        mistakes=most_confident_mistakes(served, data.test, test, labels),
        label_errors=likely_label_errors(data.test, test, labels),
        verdict=_verdict(given, test_scores, test_fp32, rivals),
    )


def _score(classifier: Classifier, split: Split, what: str) -> Scores:
    return score(split.labels, predict(classifier, split, what), classifier.labels)


def _intervals(
    settings: EvaluateSettings, split: Split, probabilities: NDArray[Any], labels: Sequence[str]
) -> Intervals:
    predicted = probabilities.argmax(axis=1)
    return intervals(split.labels, predicted, labels, settings.bootstrap_samples, settings.seed)


def _champion(given: Given, rivals: Rivals) -> ChampionScores | None:
    if given.in_service is None:
        return None
    champion = given.in_service.champion
    return ChampionScores(
        run_id=champion.run_id,
        version=champion.manifest_sha256,
        generation=given.in_service.generation,
        scores=rivals.test.get(CHAMPION),
    )


def _verdict(given: Given, test: Scores, test_fp32: Scores, rivals: Rivals) -> Verdict:
    evidence = Evidence(
        test=test,
        test_fp32=test_fp32,
        majority=rivals.test[MAJORITY],
        champion=given.in_service.champion.run_id if given.in_service else "",
        against_champion=rivals.champion,
    )
    return judge(given.gate, evidence)
