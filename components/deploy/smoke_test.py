"""Tries a running predictor out: labelled sentences over V1 and V2, and checks of the answers."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from components.errors import InputError

_TIMEOUT_SECONDS = 30.0
# What a gateway answers as long as it does not know the way.
_NO_WAY = {404, 502, 503, 504}


class NotAnswering(InputError):  # noqa: N818 (it says what happened)
    """The predictor that is meant does not answer, though another one may."""


@dataclass(frozen=True)
class Sentence:
    """A text and the label it should get."""

    text: str
    label: str


@dataclass(frozen=True)
class SmokeResult:
    """What a smoke test saw.

    Args:
        sentences: Sentences sent, each once a protocol.
        expected_share: Share of them that got the expected label, 0 to 1.
        mean_latency_ms: Mean milliseconds until an answer to one sentence was there.
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


def smoke(
    url: str,
    model_name: str,
    labels: Sequence[str],
    sentences: Sequence[Sentence],
    *,
    host: str = "",
    version: str = "",
) -> SmokeResult:
    """Send every sentence through both protocols and check the answers.

    A wrong label is no failure by itself, since no model is perfect; no more right labels
    than chance would give is one.

    Args:
        url: Base URL of the predictor.
        model_name: Name of the model in the URLs.
        labels: The task's label names.
        sentences: At least one.
        host: Value of the header Host, by which a gateway finds the predictor; empty for the URL's.
        version: The sha256 of the model that should answer; empty for any.

    Raises:
        NotAnswering: If there is no answer, or that of another model.
        InputError: If an answer breaks a rule (named with its sentence), or the share of
            expected labels does not beat chance.
    """
    headers = {"Host": host} if host else {}
    timeout = _TIMEOUT_SECONDS
    with httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False) as client:
        answers = [_ask_both(client, model_name, labels, each.text, version) for each in sentences]
    pairs = zip(answers, sentences, strict=True)
    share = sum(v1.label == sentence.label for (v1, _), sentence in pairs) / len(sentences)
    if share <= 1 / len(labels):
        rule = f"gave {share:.0%} of {len(sentences)} sentences their label, no more than chance"
        raise InputError(f"predictor {model_name}", rule, "Train a better model")
    latencies = [answer.milliseconds for both in answers for answer in both]
    return SmokeResult(len(sentences), share, sum(latencies) / len(latencies))


def _ask_both(
    client: httpx.Client, model_name: str, labels: Sequence[str], text: str, version: str
) -> tuple[_Answer, _Answer]:
    instances = {"instances": [text]}
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}
    v1 = _ask(client, f"/v1/models/{model_name}:predict", instances, _read_v1, text)
    _check("V1", v1, labels, text, version)
    v2 = _ask(client, f"/v2/models/{model_name}/infer", {"inputs": [tensor]}, _read_v2, text)
    _check("V2", v2, labels, text, version)
    close = all(
        math.isclose(v1.probabilities[name], v2.probabilities[name], abs_tol=1e-5)
        for name in labels
    )
    if v1.label != v2.label or not close:
        raise _failure(text, f"V1 and V2 disagree: {_shown(v1)} and {_shown(v2)}")
    return v1, v2


def _ask(
    client: httpx.Client,
    path: str,
    body: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], tuple[str, Mapping[str, float]]],
    text: str,
) -> _Answer:
    try:
        response = client.post(path, json=body)
    except httpx.TransportError as error:
        raise _failure(text, f"{path} did not answer ({error!r})", NotAnswering) from error
    if response.status_code != httpx.codes.OK:
        kind = NotAnswering if response.status_code in _NO_WAY else InputError
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


def _check(protocol: str, answer: _Answer, labels: Sequence[str], text: str, version: str) -> None:
    if version and answer.version != version:
        rule = f"{protocol} was answered by model {answer.version or 'unknown'}, not {version}"
        raise _failure(text, rule, NotAnswering)
    if answer.label not in labels or set(answer.probabilities) != set(labels):
        raise _failure(text, f"{protocol} answered other labels than the task's: {_shown(answer)}")
    values = list(answer.probabilities.values())
    if not all(0 <= value <= 1 for value in values) or abs(sum(values) - 1) > 1e-3:
        raise _failure(text, f"{protocol} answered no true probabilities: {values}")


def _shown(answer: _Answer) -> str:
    return f"{answer.label} {answer.probabilities}"


def _failure(text: str, rule: str, kind: type[InputError] = InputError) -> InputError:
    fix = "Serve the model by hand with `python -m components.serve` and send it this sentence"
    return kind(f"sentence {text!r}", rule, fix)
