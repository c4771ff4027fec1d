"""The watch step: read the payload log, measure it, compare it, report, and ask people."""

import logging
from pathlib import Path

import numpy as np

from components import storage
from components.artifacts.model.profiling import profile_of
from components.watch.drift import Shift, expected_confusion, shifts
from components.watch.exchanges import sample
from components.watch.findings import DRIFT, NO_DRIFT, TOO_FEW, Findings
from components.watch.labelling import write_tasks
from components.watch.records import Problems, read_records
from components.watch.redaction import redactor
from components.watch.reference import Watched, read_watched
from components.watch.report import render
from components.watch.retrain import retrain
from components.watch.settings import WatchSettings
from components.watch.traffic import Traffic, read_traffic

_log = logging.getLogger(__name__)


def watch(settings: WatchSettings, findings: Path, report: Path, labelling: Path) -> Findings:
    """Compare traffic with what the model in service was evaluated on, and write down the result.

    Args:
        settings: The user's choices.
        findings: JSON file of numbers to write.
        report: HTML page to write.
        labelling: Folder for the texts to label; empty unless they are asked for.

    Raises:
        InputError: If the payload log is empty, or the model or its reference cannot be used.
        WorkError: If a store does not answer, or Kubeflow Pipelines refuses a run.
    """
    redacted = redactor() if settings.label_tasks and settings.redact else str
    watched = read_watched(settings)
    problems = Problems()
    records = read_records(settings.payloads, problems)
    exchanges, requests = sample(records, settings.max_requests, settings.seed, problems)
    _log.info("watch: %d requests read, %d looked at", requests, len(exchanges))
    traffic = read_traffic(exchanges, watched.classifier, problems)
    result = _found(settings, watched, traffic, requests, problems)
    for path, text in {findings: result.to_json(), report: render(result)}.items():
        with storage.staged(path) as draft:
            draft.write_text(text, encoding="utf-8")
    labelling.mkdir(parents=True, exist_ok=True)
    if settings.label_tasks:
        most = settings.label_tasks
        count = write_tasks(traffic, watched.classifier, most, redacted, labelling)
        _log.info("watch: %d texts to label in %s", count, labelling)
    for reason, count in problems.counts.items():
        _log.warning("watch: %s: %d, first %s", reason, count, problems.places[reason])
    _log.info("watch: %s", result.sentence)
    if settings.trigger and watched.champion and result.verdict == DRIFT:
        retrain(settings, watched.champion, result)
    return result


def _found(
    settings: WatchSettings, watched: Watched, traffic: Traffic, requests: int, problems: Problems
) -> Findings:
    shares, reference = traffic.probabilities, watched.reference
    profile = None
    if traffic.texts:
        profile = profile_of(watched.classifier, traffic.texts, shares, reference)
    found: tuple[Shift, ...] = ()
    if profile:
        found = shifts(reference, profile, settings.max_distance, settings.significance)
    verdict = DRIFT if any(each.is_drift for each in found) else NO_DRIFT
    return Findings(
        verdict=verdict if len(traffic.texts) >= settings.min_texts else TOO_FEW,
        model_version=watched.classifier.version,
        requests_read=requests,
        requests=traffic.requests,
        refused=traffic.refused,
        classified=traffic.classified,
        expected_accuracy=float(np.max(shares, axis=1).mean()) if profile else 0.0,
        expected_confusion=expected_confusion(shares),
        shifts=found,
        reference=reference,
        profile=profile,
        problems=problems.counts,
        places=problems.places,
    )
