"""The evaluate step: score the model as it is served, compare it, judge it, report the result."""

import logging
from pathlib import Path

from components import storage
from components.artifacts.dataset import Split
from components.artifacts.evaluation import Evaluation
from components.artifacts.evaluation.comparison import (
    CHAMPION,
    MAJORITY,
    REAL_ONLY,
    TFIDF,
    ChampionScores,
    Verdict,
)
from components.artifacts.evaluation.scores import Scores
from components.artifacts.model.classifier import Classifier
from components.artifacts.model.profiling import profile_of
from components.evaluate.gate import Evidence, judge
from components.evaluate.inputs import EvaluationInputs, read_inputs
from components.evaluate.measure.intervals import intervals
from components.evaluate.measure.mistakes import likely_label_errors, most_confident_mistakes
from components.evaluate.measure.rivals import Rivals, compare_with_rivals
from components.evaluate.measure.robustness import robustness
from components.evaluate.measure.scores import predict, score, uncalibrated_error
from components.evaluate.measure.slices import slice_scores
from components.evaluate.report.card import model_card
from components.evaluate.report.page import render
from components.evaluate.settings import EvaluateSettings

_log = logging.getLogger(__name__)


def evaluate(
    settings: EvaluateSettings,
    model: Path,
    dataset: Path,
    evaluation: Path,
    report: Path,
    card: Path,
    real_only: Path | None = None,
) -> Evaluation:
    """Score a model on the test split, judge it, and write down the result.

    Args:
        settings: The user's choices.
        model: Model folder as train writes it.
        dataset: Data set folder as merge writes it.
        evaluation: JSON file to write.
        report: HTML page to write.
        card: Model card to write.
        real_only: Folder of a model trained without synthetic rows, to measure their effect;
            None or an empty folder if there is none.

    Raises:
        InputError: If a model does not verify, the data set, the gate or the out-of-domain text
            is malformed, or they do not belong to the task.
        WorkError: If the registry or a store does not answer.
    """
    inputs = read_inputs(settings, model, dataset, real_only)
    result = _assess(settings, inputs)
    texts = {
        evaluation: result.to_json(),
        report: render(result, inputs.history),
        card: model_card(result, inputs.facts, inputs.dataset.description),
    }
    for path, text in texts.items():
        with storage.staged(path) as draft:
            draft.write_text(text, encoding="utf-8")
    for comparison in result.comparisons:
        _log.info("evaluate: %s", comparison.sentence)
    _log.info("evaluate: gate %s", result.verdict.summary)
    return result


def _assess(settings: EvaluateSettings, inputs: EvaluationInputs) -> Evaluation:
    data, labels, served = inputs.dataset, inputs.task.names, inputs.served
    truth, test = data.test.labels, predict(served, data.test, "test")
    test_scores = score(truth, test, labels)
    test_fp32 = _score(inputs.full, data.test, "test, full precision")
    rivals = compare_with_rivals(settings, inputs, test)
    return Evaluation(
        task=inputs.task.name,
        labels=labels,
        model_version=served.version,
        temperature=served.temperature,
        rows=data.description.rows,
        test=test_scores,
        intervals=intervals(
            truth, test.argmax(axis=1), labels, settings.bootstrap_samples, settings.seed
        ),
        validation=_score(served, data.validation, "validation"),
        test_fp32=test_fp32,
        validation_fp32=_score(inputs.full, data.validation, "validation, full precision"),
        torch_validation=inputs.history.best,
        uncalibrated_error=uncalibrated_error(truth, test, served.temperature),
        out_of_domain=rivals.out_of_domain,
        baselines={name: rivals.test[name] for name in (MAJORITY, TFIDF)},
        real_only=rivals.test.get(REAL_ONLY),
        champion=_champion(inputs, rivals),
        comparisons=rivals.comparisons,
        slices=slice_scores(data, test, inputs.task),
        robustness=robustness(served, data.test, test, settings.seed),
        mistakes=most_confident_mistakes(served, data.test, test, labels),
        label_errors=likely_label_errors(data.test, test, labels),
        verdict=_verdict(inputs, test_scores, test_fp32, rivals),
        profile=profile_of(served, data.test.texts, test),
    )


def _score(classifier: Classifier, split: Split, what: str) -> Scores:
    return score(split.labels, predict(classifier, split, what), classifier.labels)


def _champion(inputs: EvaluationInputs, rivals: Rivals) -> ChampionScores | None:
    if inputs.in_service is None:
        return None
    champion = inputs.in_service.champion
    return ChampionScores(
        run_id=champion.run_id,
        version=champion.manifest_sha256,
        generation=inputs.in_service.generation,
        scores=rivals.test.get(CHAMPION),
    )


def _verdict(inputs: EvaluationInputs, test: Scores, test_fp32: Scores, rivals: Rivals) -> Verdict:
    evidence = Evidence(
        test=test,
        test_fp32=test_fp32,
        majority=rivals.test[MAJORITY],
        champion=inputs.in_service.champion.run_id if inputs.in_service else "",
        against_champion=rivals.against_champion,
    )
    return judge(inputs.gate, evidence)
