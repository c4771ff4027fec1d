"""The smoke test of a running predictor: labelled sentences over V1 and V2, answers checked."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
)

from components.artifacts.dataset import TEST, read_split
from components.artifacts.task import Task
from components.deploy.cluster.service import ServiceAddress
from components.errors import InputError, ServingError

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 30.0
_TEST_ROWS = 20
# The answers of a gateway that does not know the route yet.
_NO_ROUTE = {404, 502, 503, 504}


class NotAnsweringError(ServingError):
    """The intended predictor does not answer, though another one may."""


class UnreachableError(NotAnsweringError):
    """There is no way from this machine to any predictor, so that none was tried out."""


@dataclass(frozen=True)
class Sentence:
    """A text and the label it should get."""

    text: str
    label: str


@dataclass(frozen=True)
class SmokeResult:
    """The result of a smoke test.

    Args:
        sentences: Number of sentences, each sent once per protocol.
        expected_share: Share of them that got the expected label, 0 to 1.
        mean_latency_ms: Mean milliseconds between a request of one sentence and its answer.
    """

    sentences: int
    expected_share: float
    mean_latency_ms: float


@dataclass(frozen=True)
class _Answer:
    label: str
    probabilities: Mapping[str, float]
    version: str
    milliseconds: float


@dataclass(frozen=True)
class SmokeTest:
    """A smoke test of one model, to be run at any address.

    Args:
        model_name: Name of the model in the URLs.
        labels: The task's label names.
        sentences: The sentences to send, at least one.
        version: The version of the model that should answer; empty for any.
        wait_seconds: How long the intended model may take to be reachable.
        max_latency_ms: Longest acceptable `mean_latency_ms`.
    """

    model_name: str
    labels: Sequence[str]
    sentences: Sequence[Sentence]
    version: str = ""
    wait_seconds: float = 0.0
    max_latency_ms: float = math.inf

    def run(self, address: ServiceAddress) -> SmokeResult:
        """Send every sentence through both protocols and check the answers.

        A wrong label is not a failure by itself, since no model is perfect; no more right labels
        than chance would give is one.

        Raises:
            UnreachableError: If nothing could be asked.
            NotAnsweringError: If there is no answer, or only that of another model.
            ServingError: If an answer breaks a rule (named with its sentence), the share of
                expected labels does not beat chance, or the answers are too slow.
        """
        # A gateway learns of a new revision some time after the cluster has called it ready.
        again = Retrying(
            retry=retry_if_exception_type(NotAnsweringError),
            stop=stop_after_delay(self.wait_seconds),
            wait=wait_exponential(0.25, max=5),
            before_sleep=_Reasons().say,
            reraise=True,
        )
        result = again(self._run_once, address)
        _log.info(
            "deploy: %d sentences, %.0f%% with the expected label, %.0f ms each",
            result.sentences,
            100 * result.expected_share,
            result.mean_latency_ms,
        )
        if result.mean_latency_ms > (most := self.max_latency_ms):
            rule = f"took {result.mean_latency_ms:.0f} ms per sentence, and {most:g} are allowed"
            fix = "Give the predictor more CPU, or raise max_latency_ms"
            raise ServingError(f"model {self.version or self.model_name}", rule, fix)
        return result

    def _run_once(self, address: ServiceAddress) -> SmokeResult:
        headers = {"Host": address.host} if address.host else {}
        with httpx.Client(
            base_url=address.url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
        ) as client:
            answers = [self._ask_both(client, each.text) for each in self.sentences]
        pairs = zip(answers, self.sentences, strict=True)
        share = sum(v1.label == sentence.label for (v1, _), sentence in pairs) / len(answers)
        if share <= 1 / len(self.labels):
            rule = f"gave {share:.0%} of {len(answers)} sentences their label, no more than chance"
            raise ServingError(f"predictor {self.model_name}", rule, "Train a better model")
        latencies = [answer.milliseconds for both in answers for answer in both]
        return SmokeResult(len(answers), share, sum(latencies) / len(latencies))

    def _ask_both(self, client: httpx.Client, text: str) -> tuple[_Answer, _Answer]:
        name = self.model_name
        tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}
        v1 = _ask(client, f"/v1/models/{name}:predict", {"instances": [text]}, _read_v1, text)
        self._check("V1", v1, text)
        v2 = _ask(client, f"/v2/models/{name}/infer", {"inputs": [tensor]}, _read_v2, text)
        self._check("V2", v2, text)
        close = all(
            math.isclose(v1.probabilities[label], v2.probabilities[label], abs_tol=1e-5)
            for label in self.labels
        )
        if v1.label != v2.label or not close:
            raise _failure(text, f"V1 and V2 disagree: {_shown(v1)} and {_shown(v2)}")
        return v1, v2

    def _check(self, protocol: str, answer: _Answer, text: str) -> None:
        if self.version and answer.version != self.version:
            known = answer.version or "unknown"
            rule = f"{protocol} was answered by model {known}, not {self.version}"
            raise _failure(text, rule, NotAnsweringError)
        if answer.label not in self.labels or set(answer.probabilities) != set(self.labels):
            rule = f"{protocol} answered labels that are not the task's: {_shown(answer)}"
            raise _failure(text, rule)
        values = list(answer.probabilities.values())
        if not all(0 <= value <= 1 for value in values) or abs(sum(values) - 1) > 1e-3:
            raise _failure(text, f"{protocol} answered invalid probabilities: {values}")


class _Reasons:
    """The reasons why a smoke test is tried again, each logged when it first comes up."""

    def __init__(self) -> None:
        self._said = ""

    def say(self, state: RetryCallState) -> None:
        """Log why the last try failed, unless the one before failed for the same reason."""
        reason = str(state.outcome.exception() if state.outcome else "")
        if reason != self._said:
            _log.info("deploy: trying again: %s", reason)
            self._said = reason


def smoke_test_of(model_name: str, task: Task, dataset: Path | None = None) -> SmokeTest:
    """Prepare a smoke test with the task's examples and some rows of the test split.

    Args:
        model_name: Name of the model in the URLs.
        task: The model's task.
        dataset: Merged data set folder; None for the examples only.

    Raises:
        InputError: If there are no sentences, or the data set cannot be read.
    """
    sentences = [Sentence(text, label.name) for label in task.labels for text in label.examples]
    if dataset is not None:
        rows = read_split(dataset, TEST, task.names).draw(_TEST_ROWS)
        sentences += [Sentence(text, task.names[label]) for text, label in rows]
    if not sentences:
        raise InputError(f"task {task.name}", "has no examples for a smoke test", "Add `examples`")
    return SmokeTest(model_name, task.names, sentences)


def _ask(
    client: httpx.Client,
    path: str,
    body: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], tuple[str, Mapping[str, float]]],
    text: str,
) -> _Answer:
    try:
        response = client.post(path, json=body)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        rule = f"did not answer, so that the model was not tried out ({error!r})"
        fix = "Ask from within the cluster, set gateway, or use an account that may forward ports"
        address = str(client.base_url).rstrip("/")
        raise UnreachableError(f"address {address}", rule, fix) from error
    except httpx.TransportError as error:
        raise _failure(text, f"{path} did not answer ({error!r})", NotAnsweringError) from error
    if response.status_code != httpx.codes.OK:
        kind = NotAnsweringError if response.status_code in _NO_ROUTE else ServingError
        raise _failure(text, f"{path} answered {response.status_code}: {response.text:.200}", kind)
    try:
        body = response.json()
        label, probabilities = read(body)
        version = str(body.get("model_version", ""))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise _failure(text, f"{path} answered out of protocol: {response.text:.200}") from error
    return _Answer(label, probabilities, version, response.elapsed.total_seconds() * 1000)


def _read_v1(body: Mapping[str, Any]) -> tuple[str, Mapping[str, float]]:
    prediction = body["predictions"][0]
    shares = prediction["probabilities"].items()
    return prediction["label"], {name: float(share) for name, share in shares}


def _read_v2(body: Mapping[str, Any]) -> tuple[str, Mapping[str, float]]:
    outputs = {each["name"]: each["data"] for each in body["outputs"]}
    names = body["parameters"]["labels"].split(",")
    shares = zip(names, outputs["probabilities"], strict=True)
    return outputs["label"][0], {name: float(share) for name, share in shares}


def _shown(answer: _Answer) -> str:
    return f"{answer.label} {answer.probabilities}"


def _failure(text: str, rule: str, kind: type[ServingError] = ServingError) -> ServingError:
    fix = "Serve the model by hand with `emotion-pipeline serve` and send it this sentence"
    return kind(f"sentence {text!r}", rule, fix)
