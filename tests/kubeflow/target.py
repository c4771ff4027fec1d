"""A Kubeflow that somebody already has, and the pipeline on it."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import kfp_server_api as api
import yaml
from kfp import Client
from kubernetes import client as kubernetes
from kubernetes import config

from pipelines.submit.observed import ObservedRun
from pipelines.submit.watch import watch

TOP = Path(__file__).parents[2]
SERVICES = ("serving.kserve.io", "v1beta1")
_RUN = re.compile(r"^run ([0-9a-f-]{36})", re.MULTILINE)
_SCHEDULE = re.compile(r"^scheduled .*: ([0-9a-f-]{36})$", re.MULTILINE)
_SOURCES = {"gs": "gcs"}
_HOURS = "1"
_END_HOURS = 0.1


@dataclass(frozen=True)
class Submitted:
    """A command that has ended."""

    status: int
    output: str

    @property
    def run_id(self) -> str:
        """The run that it started."""
        return self._found(_RUN)

    @property
    def schedule_id(self) -> str:
        """The schedule that it made."""
        return self._found(_SCHEDULE)

    def _found(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.output)
        assert found, self.output
        return found[1]


@dataclass(frozen=True)
class Target:
    """A Kubeflow, and how the pipeline is submitted to it, as `make submit` takes it."""

    host: str
    namespace: str
    name: str
    """Experiment of the tests' own."""
    service: str
    """InferenceService that the runs deploy."""
    ui: str
    """URL of its UI."""
    user: str = ""
    """Who asks the UI's server, where no gateway says it."""
    options: tuple[str, ...] = ()
    """Options of `pipelines.submit`: parameter set, settings, lock, account."""
    assignments: str = ""
    """Assignments of parameters that every run gets."""

    def submit(self, *options: str, assignments: str = "", hours: str = _HOURS) -> Submitted:
        """Run `python -m pipelines.submit`."""
        command = [sys.executable, "-m", "pipelines.submit", "--host", self.host]
        command += ["--namespace", self.namespace, "--experiment", self.name]
        command += ["--ui", self.ui, "--hours", hours, *self.options, *options]
        command += ["--set", self.assignments, "--set", assignments]
        ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
        return Submitted(ended.returncode, f"{ended.stdout}\n{ended.stderr}")

    @property
    def client(self) -> Client:
        """KFP's client, with the token of KFP_TOKEN."""
        token = os.environ.get("KFP_TOKEN")
        return Client(host=self.host, namespace=self.namespace, existing_token=token)

    @property
    def kubernetes(self) -> kubernetes.ApiClient:
        """The cluster, by the kubeconfig."""
        return config.new_client_from_config()

    def observed(self, run_id: str) -> ObservedRun:
        """A run, seen as `make submit` sees it."""
        return ObservedRun(self.client, run_id)

    def settings(self) -> dict[str, Any]:
        """The compile settings that every run gets, as their file has them."""
        for option, value in pairwise(self.options):
            if option == "--settings":
                return dict(yaml.safe_load((TOP / value).read_text(encoding="utf-8")))
        return {}

    def runs_of(self, schedule_id: str) -> list[Any]:
        """The runs that a schedule has started."""
        experiment = self.client.get_experiment(experiment_name=self.name).experiment_id
        listed = self.client.list_runs(experiment_id=experiment, page_size=100).runs or []
        return [run for run in listed if run.recurring_run_id == schedule_id]

    def end(self, run_id: str) -> None:
        """End a run, unless it has, and wait until it has."""
        with suppress(api.ApiException):
            self.client.terminate_run(run_id)
        watch(self.observed(run_id), _END_HOURS, print)

    def content(self, uri: str, peek: int = 0) -> bytes:
        """An artifact from the server of the UI.

        Args:
            uri: The artifact's place.
            peek: Number of bytes from its start, or instead of a folder what it holds; 0 for all.
        """
        place = urlsplit(uri)
        query = {
            "source": _SOURCES.get(place.scheme, place.scheme),
            "bucket": place.netloc,
            "key": place.path.lstrip("/"),
            "namespace": self.namespace,
            "peek": str(peek),
        }
        headers = {"kubeflow-userid": self.user} if self.user else {}
        if token := os.environ.get("KFP_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        url = f"{self.ui.rstrip('/')}/artifacts/get"
        answer = httpx.get(url, params=query, headers=headers, timeout=120)
        assert answer.is_success, f"{uri}: {answer.status_code} {answer.text:.500}"
        return answer.content
