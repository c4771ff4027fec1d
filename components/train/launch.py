"""The train step in several processes of one machine, started by torchrun.

Source: https://docs.pytorch.org/docs/stable/elastic/run.html
"""

import json
import logging
import os
import subprocess
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from components.artifacts.model.history import History, read_history
from components.errors import InputError
from components.train.arguments import changed_settings, to_arguments
from components.train.run import train
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 60
_LINES_KEPT = 20


def train_in_processes(
    settings: TrainSettings,
    dataset: Path,
    output: Path,
    checkpoints: Path,
    real_only: bool = False,
) -> History:
    """Run `components.train.run.train` in as many processes as the settings and the GPUs ask for.

    With one process it is a plain call. Otherwise every process takes its share of each batch;
    SIGTERM reaches all of them, and they have a minute to write a checkpoint.

    Returns:
        What was measured while training.

    Raises:
        InputError: If the batch cannot be shared evenly, or training refuses its input.
        RuntimeError: If training fails; it holds the last lines of the log.
    """
    gpus = torch.cuda.device_count()
    processes = settings.processes or max(gpus, 1)
    settings = replace(settings, processes=processes)
    # One process that sees several GPUs would split its batches over them by threads.
    if processes == 1 and gpus <= 1:
        return train(settings, dataset, output, checkpoints, real_only)
    paths = {"dataset": dataset, "output": output, "checkpoints": checkpoints}
    command = [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", f"--nproc-per-node={processes}", f"--shutdown-timeout={_GRACE_SECONDS}"),
        *("-m", "components.train"),
        *(f"--{name}={path}" for name, path in paths.items()),
        *(["--real-only"] if real_only else []),
        *to_arguments(changed_settings(settings)),
    ]
    _log.info("train: starting %d processes", processes)
    _run(command, threads=max(1, (os.cpu_count() or 1) // processes))
    return read_history(output)


def _run(command: list[str], threads: int) -> None:
    with TemporaryDirectory() as folder:
        error_file = Path(folder) / "error.json"
        environment = {
            "OMP_NUM_THREADS": str(threads),
            **os.environ,
            # torchrun leaves the first error of a worker there.
            "TORCHELASTIC_ERROR_FILE": str(error_file),
        }
        with subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A signal from the terminal shall reach the processes through torchrun alone.
            start_new_session=True,
        ) as process:
            try:
                lines = _relay(process)
            except BaseException:
                # torchrun passes SIGTERM on, and kills what is left after the time of grace.
                process.terminate()
                _relay(process)
                raise
        if process.returncode:
            raise _failure(process.returncode, error_file, lines)


def _relay(process: subprocess.Popen[str]) -> deque[str]:
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    for line in process.stdout or ():
        lines.append(line.rstrip())
        _log.info("%s", lines[-1])
    return lines


def _failure(status: int, error_file: Path, lines: deque[str]) -> Exception:
    if not error_file.is_file():
        return RuntimeError(f"training ended with status {status}: {' | '.join(lines)}")
    kind, _, reason = json.loads(error_file.read_text())["message"]["message"].partition(": ")
    if kind == InputError.__name__:
        return InputError("training in processes", f"refused: {reason}", "See the log above")
    return RuntimeError(f"training failed with {kind}: {reason}")
