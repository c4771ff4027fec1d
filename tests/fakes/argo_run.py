"""A run of KFP as its cluster shows it: the Argo Workflow, and logs and events of its pods.

The shape of the Workflow is that of KFP 2.17.0 on Argo 4.0.5: backend/src/v2/compiler/argocompiler
in kubeflow/pipelines, initializeNode in argoproj/argo-workflows. It cannot show that Argo and KFP
write what is written here; tests/kubeflow runs the same questions on a real Kubeflow.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from tests.fakes.http_server import running

SCOPE = "exit-handler-1"
"""The task that holds all steps but outcome."""
ERROR = "main: Error (exit code 1)"
"""Argo's message about a container that ended with status 1."""

STEP_LOG = """\
I1126 08:00:00.000000      18 launcher_v2.go:112] Setting log level to: '1'
train: 1056 rows
Traceback (most recent call last):
  File "/tmp/tmp.x/ephemeral_component.py", line 40, in train
    train(settings)
components.errors.InputError: train_epochs=0: must be at least 1. Choose a number in this range.
E1126 08:00:01.000000      18 launcher_v2.go:449] Component failed to execute successfully: exit status 1
F1126 08:00:01.100000      18 main.go:59] failed to execute component: exit status 1
time="2026-11-26T08:00:02.000Z" level=info msg="sub-process exited" argo=true error="exit status 1"
"""  # noqa: E501
DRIVER_LOG = """\
I1126 08:00:00.000000      12 main.go:120] input ComponentSpec:{}
F1126 08:00:01.000000      12 main.go:127] KFP driver: driver.Container(train) failed: no such input
time="2026-11-26T08:00:02.000Z" level=info msg="sub-process exited" argo=true error="exit status 1"
"""
LAUNCHER_LOG = """\
I1126 08:00:00.000000      18 launcher_v2.go:112] Setting log level to: '1'
E1126 08:00:01.000000      18 launcher_v2.go:449] Component failed to execute successfully: failed \
to download input artifact "merged": AccessDenied
F1126 08:00:01.100000      18 main.go:59] failed to execute component: failed to download input \
artifact "merged": AccessDenied
"""


@dataclass
class ArgoRun:
    """A run that a test puts together, node by node."""

    name: str = "emotion-x7k2p"
    namespace: str = "emotion"
    spec: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Kinds that the account may not read."""
    ended: dict[str, str] = field(default_factory=dict)
    """Label selectors of the jobs that were deleted, by kind."""

    def add(self, display: str, kind: str, phase: str, **given: Any) -> str:
        """Add a node; gives its id."""
        number = str(crc32(f"{self.name}.{len(self.nodes)}".encode()))
        node = {
            "id": f"{self.name}-{number}",
            "name": f"{self.name}.root.{display}",
            "displayName": display,
            "type": kind,
            "phase": phase,
            "startedAt": "2026-11-26T08:00:00Z",
            "finishedAt": f"2026-11-26T08:00:{len(self.nodes) % 60:02d}Z",
            **given,
        }
        self.nodes[node["id"]] = node
        return node["id"]

    def scope(self, phase: str) -> str:
        """Add the exit handler's scope; gives its id."""
        return self.add(SCOPE, "DAG", phase)

    def driver(self, task: str, phase: str = "Succeeded", log: str = "", **given: Any) -> str:
        """Add the driver of a task; gives its pod."""
        node = self.add(
            f"{task}-driver", "Pod", phase, templateName="system-container-driver", **given
        )
        return self._pod(node, log)

    def step(
        self,
        task: str,
        phase: str = "Succeeded",
        log: str = "",
        tries: Sequence[str] = (),
        **given: Any,
    ) -> str:
        """Add a task with its pod, or a pod for each try; gives the last pod."""
        outer = {"boundaryID": given.pop("boundaryID", "")}
        dag = self.add(task, "DAG", phase if phase != "Pending" else "Running", **outer)
        inner = {"templateName": "system-container-impl", "boundaryID": dag}
        if not tries:
            return self._pod(self.add("executor", "Pod", phase, **inner, **given), log)
        made = [
            self.add(f"executor({number})", "Pod", each, **inner, **given)
            for number, each in enumerate(tries)
        ]
        self.add("executor", "Retry", phase, boundaryID=dag, children=made)
        return [self._pod(each, log) for each in made][-1]

    def content(self) -> dict[str, Any]:
        """The Workflow."""
        return {
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": self.spec,
            "status": {"phase": "Running", "nodes": self.nodes},
        }

    def _pod(self, node: str, log: str) -> str:
        pod = f"{self.name}-{self.nodes[node]['templateName']}-{node.rpartition('-')[2]}"
        if log:
            self.logs[pod] = log
        return pod


def event(kind: str, reason: str, message: str) -> dict[str, Any]:
    """An event of a pod: `Warning` or `Normal`."""
    return {
        "metadata": {"name": reason.lower(), "namespace": "emotion"},
        "involvedObject": {},
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": datetime.now(UTC).isoformat(),
    }


@contextmanager
def cluster_of(run: ArgoRun) -> Iterator[str]:
    """Have an API server of Kubernetes that knows one run; yields its URL."""

    def workflow(request: Request) -> JSONResponse:
        return _answer("workflows", run.content(), request.path_params["name"] == run.name)

    def log(request: Request) -> PlainTextResponse | JSONResponse:
        assert request.query_params["container"] == "main"
        found = run.logs.get(request.path_params["pod"])
        return PlainTextResponse(found) if found else _answer("pods/log", {}, found is not None)

    def events(request: Request) -> JSONResponse:
        fields = dict(each.split("=") for each in request.query_params["fieldSelector"].split(","))
        found = run.events.get(fields["involvedObject.name"], [])
        return _answer("events", {"kind": "EventList", "items": found}, True)

    def _answer(kind: str, content: dict[str, Any], known: bool) -> JSONResponse:
        if kind in run.refused:
            return JSONResponse({"kind": "Status", "message": f"{kind} is forbidden"}, 403)
        return JSONResponse(content) if known else JSONResponse({"kind": "Status"}, 404)

    def end_jobs(request: Request) -> JSONResponse:
        kind = request.path_params["kind"]
        run.ended[kind] = request.query_params["labelSelector"]
        return _answer(kind, {"kind": "Status", "status": "Success"}, True)

    core = f"/api/v1/namespaces/{run.namespace}"
    argo = f"/apis/argoproj.io/v1alpha1/namespaces/{run.namespace}"
    groups = ("kubeflow.org/v1beta1", "trainer.kubeflow.org/v1alpha1")
    jobs = [f"/apis/{each}/namespaces/{run.namespace}" for each in groups]
    routes = [
        Route(f"{argo}/workflows/{{name}}", workflow),
        Route(f"{core}/pods/{{pod}}/log", log),
        Route(f"{core}/events", events),
        *(Route(f"{each}/{{kind}}", end_jobs, methods=["DELETE"]) for each in jobs),
    ]
    with running(routes) as url:
        yield url
