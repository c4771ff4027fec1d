"""A contestant as a running process: started, asked once, weighed, stopped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from components.processes import free_port, running_server
from tests.benchmarks.serve.contestants import Contestant, Place

_START_SECONDS = 180.0
_END_SECONDS = 10.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A contestant that is ready and has answered once."""

    contestant: Contestant
    url: str
    process: psutil.Process
    ready_seconds: float
    """From its start until it said that it was ready."""
    answer_seconds: float
    """From its start until its first answer, since not all load and warm up before ready."""

    def labels(self, texts: list[str]) -> list[str]:
        """The label that the server gives to each text."""
        url = self.url + self.contestant.predict
        body = self.contestant.body(texts)
        answer = httpx.post(url, json=body, timeout=_ANSWER_SECONDS, trust_env=False)
        return self.contestant.labels(answer.raise_for_status().json())

    def megabytes(self) -> float:
        """Resident memory of all its processes; what several of them share counts once."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in family) / 1e6

    def thread_seconds(self) -> tuple[float, float]:
        """Core time that the main thread of its first process has taken, and all other threads."""
        times = {each.id: each.user_time + each.system_time for each in self.process.threads()}
        main = times.pop(self.process.pid)
        return main, sum(times.values())

    def start_figures(self) -> dict[str, Any]:
        return {
            "ready_seconds": self.ready_seconds,
            "answer_seconds": self.answer_seconds,
            "megabytes": self.megabytes(),
        }


@contextmanager
def started(
    contestant: Contestant, model: Path, work: Path, python: Path, threads: int, text: str
) -> Iterator[Server]:
    """Run a contestant for the length of a block.

    Args:
        contestant: Who it is.
        model: Model folder.
        work: Folder for its log and for what it has to have made.
        python: The interpreter of its environment.
        threads: Cores that it may use.
        text: What it is asked first.

    Raises:
        WorkError: If it does not start; the message holds the last lines of its log.
    """
    place = Place(model.absolute(), work.absolute(), free_port(), threads, python)
    variables = [f"{name}={value}" for name, value in contestant.variables(threads).items()]
    command = ["env", *variables, *contestant.command(place)]
    url = f"http://127.0.0.1:{place.port}"
    begun = time.perf_counter()
    with running_server(command, url + contestant.ready, work / "log", _START_SECONDS) as popen:
        ready = time.perf_counter() - begun
        process = psutil.Process(popen.pid)
        server = Server(contestant, url, process, ready, answer_seconds=0.0)
        server.labels([text])
        answered = time.perf_counter() - begun
        yield Server(contestant, url, process, ready, answered)
        children = process.children(recursive=True)
    _, left = psutil.wait_procs(children, timeout=_END_SECONDS)
    for child in left:
        child.kill()
