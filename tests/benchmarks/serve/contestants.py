"""Who is measured: how each is started, asked and understood.

All run the same model on the same cores. Each is told the number of threads in its own way, so
that all of them use every core and none starts more threads than there are cores.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.artifacts.model import bundle

MODEL_NAME = "emotion"
_OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Place:
    """Where a contestant runs."""

    model: Path
    """Model folder, absolute."""
    work: Path
    """Folder of the contestant's own, for what it has to have made; absolute."""
    port: int
    threads: int
    python: Path
    """The interpreter of its virtual environment."""


@dataclass(frozen=True)
class Contestant:
    """A server that can be measured."""

    title: str
    command: Callable[[Place], list[str]]
    predict: str
    """Path of the prediction route."""
    ready: str
    """Path that answers 200 once the model is loaded."""
    body: Callable[[Sequence[str]], Mapping[str, Any]]
    """The JSON body that asks for some texts."""
    labels: Callable[[Any], list[str]]
    """The label of each text, from an answer."""
    variables: Callable[[int], Mapping[str, str]] = field(default=lambda _: {})
    """Environment variables, by the number of threads."""
    requirements: str = ""
    """Its virtual environment, a file of `requirements/`; none for the bench's own."""
    sources: Path | None = None
    """Folder of its code, if a change there makes its results void."""
    is_of_student: bool = False
    """Whether it serves the smaller model of a trial."""


def _predictor(precision: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        arguments = ["--model-dir", str(place.model), "--model-name", MODEL_NAME]
        # An option of the predictor's: it reads no environment variable.
        arguments += ["--http-port", str(place.port), "--threads", str(place.threads)]
        # The default is not spelled out: what is measured first is what a user gets.
        arguments += [] if precision == "int8" else ["--precision", precision]
        return [str(place.python), "-m", "components.serve", *arguments]

    return command


def _plain(place: Place) -> list[str]:
    return _script(place, "plain_kserve")


def _litserve(place: Place) -> list[str]:
    return [*_script(place, "litserve_pipeline"), "--workers", str(place.threads)]


def _script(place: Place, name: str) -> list[str]:
    module = f"tests.benchmarks.serve.servers.{name}"
    folder = str(place.model / bundle.MERGED)
    return [str(place.python), "-m", module, "--folder", folder, "--port", str(place.port)]


def _infinity(place: Place) -> list[str]:
    # Its BetterTransformer is gone from optimum; torch's own fast attention is used without it.
    engine = ["--engine", "torch", "--dtype", "float32", "--no-bettertransformer"]
    return [*_infinity_command(place, str(place.model / bundle.MERGED)), *engine]


def _infinity_onnx(place: Place) -> list[str]:
    # Infinity looks for a file with `quantize` in its name, at the top of the current folder:
    # optimum finds it nowhere else. Its warm-up sends more tokens than the model takes, uncut, and
    # its graph optimiser is for models that are not quantised yet. It has no option for threads:
    # ONNX Runtime starts one a core.
    merged = place.model / bundle.MERGED
    place.work.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(merged / name, place.work)
    shutil.copy(place.model / bundle.ONNX["int8"], place.work / "model_quantized.onnx")
    engine = ["--engine", "optimum", "--onnx-disable-optimize", "--no-model-warmup"]
    return [
        "env",
        f"--chdir={place.work}",
        *_infinity_command(place, "."),
        *engine,
    ]


def _infinity_command(place: Place, model: str) -> list[str]:
    command = [str(place.python.with_name("infinity_emb")), "v2", "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(place.port)]
    return [*command, "--model-id", model, "--served-model-name", MODEL_NAME]


def _torch_threads(threads: int) -> dict[str, str]:
    return {**_OFFLINE, "OMP_NUM_THREADS": str(threads)}


def _one_thread(_: int) -> dict[str, str]:
    # litserve's way: as many workers as cores, each with one thread.
    return {**_OFFLINE, "OMP_NUM_THREADS": "1"}


def _own_labels(answer: Any) -> list[str]:
    return [each["label"] for each in answer["predictions"]]


def _most_probable(scores: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    return [max(each, key=lambda one: one["score"])["label"] for each in scores]


def _ours(title: str, precision: str) -> Contestant:
    return Contestant(
        title=title,
        command=_predictor(precision),
        predict=f"/v1/models/{MODEL_NAME}:predict",
        ready="/v2/health/ready",
        body=lambda texts: {"instances": list(texts)},
        labels=_own_labels,
        sources=Path("components/serve"),
    )


def _infinity_contestant(title: str, command: Callable[[Place], list[str]]) -> Contestant:
    return Contestant(
        title=title,
        command=command,
        predict="/classify",
        ready="/health",
        body=lambda texts: {"model": MODEL_NAME, "input": list(texts)},
        labels=lambda answer: _most_probable(answer["data"]),
        variables=_torch_threads,
        requirements="infinity.txt",
    )


THIS = "int8"
"""The contestant whose capacity sets the rates of the open loop."""
PLAIN = "plain"
STUDENT = "student"
CONTESTANTS: Mapping[str, Contestant] = {
    THIS: _ours("this predictor, int8", "int8"),
    "fp32": _ours("this predictor, fp32", "fp32"),
    PLAIN: Contestant(
        title="plain way: kserve, transformers pipeline",
        command=_plain,
        predict=f"/v1/models/{MODEL_NAME}:predict",
        ready="/v2/health/ready",
        body=lambda texts: {"instances": list(texts)},
        labels=lambda answer: _most_probable(answer["predictions"]),
        variables=_torch_threads,
    ),
    "litserve": Contestant(
        title="litserve, transformers pipeline, batching",
        command=_litserve,
        predict="/predict",
        ready="/health",
        body=lambda texts: {"texts": list(texts)},
        labels=lambda answer: _most_probable(answer["predictions"]),
        variables=_one_thread,
        requirements="litserve.txt",
    ),
    "infinity": _infinity_contestant("infinity, torch fp32", _infinity),
    "infinity-onnx": _infinity_contestant("infinity, ONNX int8", _infinity_onnx),
    STUDENT: replace(_ours("this predictor, student, int8", "int8"), is_of_student=True),
}
