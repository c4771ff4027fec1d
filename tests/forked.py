"""Processes that start with all loaded, as forks of a server: a new interpreter takes seconds."""

import multiprocessing
import runpy
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["components.train.run", "components.generate.run"])


def start_module(module: str, arguments: list[str], folder: Path) -> BaseProcess:
    """Start `python -m module`; `stdout` and `stderr` in the folder take its output.

    It cannot show a fresh interpreter's imports: tests/steps/train/test_launch.py starts real ones.
    """
    process = processes.Process(target=_run_module, args=(module, arguments, folder))
    process.start()
    return process


def _run_module(module: str, arguments: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sys.argv = [module, *arguments]
    # Line by line, so that what a killed process wrote can be read.
    sys.stdout = (folder / "stdout").open("w", buffering=1, encoding="utf-8")
    sys.stderr = (folder / "stderr").open("w", buffering=1, encoding="utf-8")
    runpy.run_module(module, run_name="__main__", alter_sys=True)
