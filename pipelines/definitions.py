"""The pipelines by name: how each is built, its parameters are read, and it is scheduled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import emotion, predict, watch
from pipelines.compile.pins import pinned
from pipelines.compile.settings import CompileSettings
from pipelines.parameters import (
    read_parameters,
    read_predict_parameters,
    read_watch_parameters,
)

_COMPILED = Path(__file__).parent / "compiled"
# Links to those of manifests/base, so that a package has them too.
_SCHEDULES = Path(__file__).parent / "schedules"


@dataclass(frozen=True)
class Definition:
    """A pipeline.

    Args:
        name: Its name on Kubeflow.
        build: Makes it for a cluster.
        read: Reads and checks a value for each of its parameters.
        pin: Adds the hashes of what the values name.
        compiled: The file that the repository ships.
        recurring: The body of its recurring run.
    """

    name: str
    build: Callable[[CompileSettings], Any]
    read: Callable[..., dict[str, Any]]
    pin: Callable[[Mapping[str, Any]], dict[str, Any]]
    compiled: Path
    recurring: Path


EMOTION = Definition(
    emotion.NAME,
    emotion.emotion_for,
    read_parameters,
    pinned,
    _COMPILED / "emotion.yaml",
    _SCHEDULES / "emotion.yaml",
)
# What it reads grows, so that nothing of it can be pinned.
WATCH = Definition(
    watch.NAME,
    watch.watch_for,
    read_watch_parameters,
    dict,
    _COMPILED / "watch.yaml",
    _SCHEDULES / "watch.yaml",
)
# What its plan finds is pinned there, for all shards and tries.
PREDICT = Definition(
    predict.NAME,
    predict.predict_for,
    read_predict_parameters,
    dict,
    _COMPILED / "predict.yaml",
    _SCHEDULES / "predict.yaml",
)
DEFINITIONS: Mapping[str, Definition] = {each.name: each for each in (EMOTION, WATCH, PREDICT)}
