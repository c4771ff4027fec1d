from pathlib import Path

import pytest

from components.deploy.targets.local import running_predictor

V1 = "/v1/models/emotion:predict"


@pytest.fixture
def bounded(model_folder: Path, tmp_path: Path):
    """Starts predictors with settings of a test's own; gives their URL."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*options: str) -> str:
            log = tmp_path / "predictor.log"
            return stack.enter_context(
                running_predictor(model_folder, "emotion", log, options=options)
            )

        yield start
