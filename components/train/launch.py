"""Fine-tuning in several processes of one machine, started by torchrun.

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

from components.artifacts.model.history import History, read_history, read_trials
from components.errors import InputError, StepError, WorkError
from components.processes import tied
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings, changed_settings, to_arguments

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 60
# For torchrun itself, once its workers are gone.
_MORE_SECONDS = 10
_LINES_KEPT = 20


def fine_tune_in_processes(
    settings: TrainSettings,
    dataset: Path,
    output: Path,
    checkpoints: Path,
    real_only: bool = False,
    trials: Path | None = None,
) -> History:
    """Run `fine_tune` in as many processes as the settings and the GPUs ask for.

    One process is a plain call. Several processes each take a share of every batch; SIGTERM
    reaches all of them, and they have a minute to write a checkpoint.

    The arguments are those of `fine_tune`, but that `trials` is the file of the search.

    Raises:
        InputError: If the batch cannot be shared evenly, or `fine_tune` refuses its input.
        WorkError: If training fails; the message holds the last lines of the log.
    """
    gpus = torch.cuda.device_count()
    processes = settings.processes or max(gpus, 1)
    settings = replace(settings, processes=processes)
    # One process that sees several GPUs would split its batches over them by threads.
    if processes == 1 and gpus <= 1:
        known = read_trials(trials)
        return fine_tune(settings, dataset, output, checkpoints, real_only, known)
    paths = {"dataset": dataset, "output": output, "checkpoints": checkpoints}
    command = [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", f"--nproc-per-node={processes}", f"--shutdown-timeout={_GRACE_SECONDS}"),
        *("-m", "components.train"),
        *(f"--{name}={path}" for name, path in paths.items()),
        *(["--real-only"] if real_only else []),
        *([f"--trials={trials}"] if trials else []),
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
            # torchrun writes the first error of a worker to it.
            "TORCHELASTIC_ERROR_FILE": str(error_file),
        }
        with (
            subprocess.Popen(  # noqa: S603
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # A signal from the terminal should reach the workers only through torchrun.
                start_new_session=True,
            ) as process,
            tied(process, _GRACE_SECONDS + _MORE_SECONDS),
        ):
            try:
                lines = _relay(process)
            except BaseException:
                # torchrun passes SIGTERM on, and kills the workers that are left after the grace
                # period.
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


def _failure(status: int, error_file: Path, lines: deque[str]) -> StepError:
    thing, fix = "training in processes", "See the log above"
    if not error_file.is_file():
        return WorkError(thing, f"ended with status {status}: {' | '.join(lines)}", fix)
    kind, _, reason = json.loads(error_file.read_text())["message"]["message"].partition(": ")
    if kind == InputError.__name__:
        return InputError(thing, f"refused: {reason}", fix)
    return WorkError(thing, f"failed with {kind}: {reason}", fix)
