"""Predictors with settings of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.deploy.local import running_predictor


@pytest.fixture
def bounded(model_folder: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts predictors with other options; returns their URL."""
    with ExitStack() as stack:

        def start(*options: str) -> str:
            log = tmp_path / "predictor.log"
            return stack.enter_context(
                running_predictor(model_folder, "emotion", log, options=options)
            )

        yield start
