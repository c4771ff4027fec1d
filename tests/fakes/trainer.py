"""A namespace with Kubeflow Trainer and Katib, whose jobs go through scenes of a script.

Each look at a job shows the next scene; the last one stays. It checks no rights and no schemas,
runs nothing, and its pods' logs are given. That Trainer and JobSet behave like this, and what
becomes of pods and of jobs without an owner, is shown by tests/cluster/real/test_trainer.py; of
Katib, by tests/cluster/real/test_katib.py.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.train.cluster.api import StepCluster
from tests.fakes.http_server import running
from tests.fakes.kubernetes_api import REVIEWS

NAMESPACE = "emotion"
STEP_POD = "train-step-1"
_TIME = "2026-11-26T08:00:{:02d}.000000000Z {}"

Resource = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What one look shows.

    Args:
        condition: Type of the job's condition that is true; empty for none.
        pods: The job's pods, as `node_pod` makes them.
        gone: The job is not there any more.
        status: Further fields of the job's status.
    """

    condition: str = ""
    pods: Sequence[Resource] = ()
    gone: bool = False
    status: Mapping[str, Any] = field(default_factory=dict)


def node_pod(
    index: int, phase: str = "Running", exit_code: int = 0, attempt: int = 0, ended: int = 0
) -> Resource:
    """A pod of a job, as JobSet labels it."""
    name = f"job-node-0-{index}-{attempt}"
    state: Resource = {"running": {}}
    if exit_code or phase in {"Failed", "Succeeded"}:
        finished = f"2026-11-26T08:{ended:02d}:00Z"
        state = {"terminated": {"exitCode": exit_code, "reason": "Error", "finishedAt": finished}}
    container = {
        "name": "node",
        "image": "i",
        "imageID": "i",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
    labels = {
        "batch.kubernetes.io/job-completion-index": str(index),
        "jobset.sigs.k8s.io/restart-attempt": str(attempt),
    }
    return {
        "metadata": {"name": name, "uid": name, "labels": labels},
        "status": {"phase": phase, "containerStatuses": [container]},
    }


def step_pod(uid: str = "1") -> Resource:
    """The pod of a train step, as KFP makes it."""
    own = {"name": "KFP_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    key = {"secretKeyRef": {"name": "object-storage", "key": "AWS_ACCESS_KEY_ID"}}
    main = {
        "name": "main",
        "image": "registry/train@sha256:1",
        "env": [
            own,
            {"name": "ARGO_NODE_ID", "value": "n"},
            {"name": "AWS_ENDPOINT_URL", "value": "http://s3:9000"},
            {"name": "AWS_ACCESS_KEY_ID", "valueFrom": key},
        ],
        "resources": {"limits": {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "2"}},
    }
    labels = {"workflows.argoproj.io/workflow": "emotion-x", "pipeline/runid": "run-1"}
    return {
        "metadata": {"name": STEP_POD, "uid": uid, "labels": labels},
        "spec": {"containers": [{"name": "wait", "image": "argoexec"}, main]},
        "status": {"phase": "Running"},
    }


@dataclass
class FakeTrainer:
    """What the namespace shows, and what it was asked for.

    Args:
        script: The scenes of a job.
        logs: Lines of pods' logs, by name.
        jobs: TrainJobs by name.
        deleted: Names of the jobs that were deleted, in turn.
        created: The jobs that were created, in turn.
        step: The pod of the step.
        trials: Trials of the Experiment.
        warnings: Messages of warnings about the Job behind each job.
        has_runtime: The namespace has the project's TrainingRuntime.
        forbidden: Verbs that the account may not use on TrainJobs.
    """

    script: list[Scene] = field(default_factory=lambda: [Scene("Complete")])
    logs: dict[str, list[str]] = field(default_factory=dict)
    jobs: dict[str, Resource] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    created: list[Resource] = field(default_factory=list)
    step: Resource = field(default_factory=step_pod)
    trials: list[Resource] = field(default_factory=list)
    warnings: Sequence[str] = ()
    has_runtime: bool = True
    forbidden: Sequence[str] = ()

    def routes(self) -> list[Route]:
        api = "/apis/trainer.kubeflow.org/v1alpha1"
        jobs = f"{api}/namespaces/{NAMESPACE}/trainjobs"
        katib = f"/apis/kubeflow.org/v1beta1/namespaces/{NAMESPACE}"
        core = f"/api/v1/namespaces/{NAMESPACE}/pods"
        return [
            Route(jobs, self._create, methods=["POST"]),
            Route(jobs + "/{name}", self._job, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{katib}/experiments", self._create, methods=["POST"]),
            Route(f"{katib}/experiments/{{name}}", self._job, methods=["GET", "PATCH", "DELETE"]),
            Route(f"{katib}/trials", self._trials),
            Route(core, self._pods),
            Route(f"/api/v1/namespaces/{NAMESPACE}/events", self._events),
            Route(core + "/{name}", self._pod),
            Route(core + "/{name}/log", self._log),
            Route(api, self._kinds),
            Route("/apis/kubeflow.org/v1beta1", self._kinds),
            Route(f"{api}/namespaces/{NAMESPACE}/trainingruntimes/{{name}}", self._runtime),
            Route(REVIEWS, self._review, methods=["POST"]),
        ]

    async def _create(self, request: Request) -> Response:
        job = json.loads(await request.body())
        self.jobs[job["metadata"]["name"]] = job
        self.created.append(job)
        return JSONResponse(job, 201)

    async def _job(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.jobs:
            return _missing()
        if request.method == "PATCH":
            self.jobs[name]["metadata"] |= json.loads(await request.body())["metadata"]
        if request.method == "DELETE":
            self.deleted.append(name)
            del self.jobs[name]
            return JSONResponse({"kind": "Status", "status": "Success"})
        job = self.jobs[name]
        if "status" in job:
            return JSONResponse(job)
        scene = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self._shown = scene
        if scene.gone:
            del self.jobs[name]
            return _missing()
        true = [{"type": scene.condition, "status": "True", "message": "as written"}]
        conditions = {"conditions": true if scene.condition else []}
        return JSONResponse({**job, "status": {**conditions, **scene.status}})

    async def _pods(self, request: Request) -> Response:
        label, _, name = request.query_params["labelSelector"].partition("=")
        assert label in {"jobset.sigs.k8s.io/jobset-name", "katib.kubeflow.org/experiment"}
        assert name in self.jobs
        return JSONResponse({"kind": "PodList", "items": [*self._shown.pods]})

    async def _trials(self, request: Request) -> Response:
        label, _, name = request.query_params["labelSelector"].partition("=")
        assert (label, name in self.jobs) == ("katib.kubeflow.org/experiment", True)
        return JSONResponse({"kind": "TrialList", "items": self.trials})

    async def _events(self, request: Request) -> Response:
        assert request.query_params["fieldSelector"] == "type=Warning,involvedObject.kind!=Pod"
        about = {"name": f"{next(iter(self.jobs), '')}-node-0"}
        event = {"reason": "FailedCreate", "involvedObject": about, "metadata": {}}
        events = [{**event, "message": each} for each in self.warnings]
        return JSONResponse({"kind": "EventList", "items": events})

    async def _pod(self, request: Request) -> Response:
        return JSONResponse(self.step if request.path_params["name"] == STEP_POD else {})

    async def _log(self, request: Request) -> Response:
        lines = self.logs.get(request.path_params["name"])
        if lines is None:
            return _missing()
        told = [_TIME.format(number, line) for number, line in enumerate(lines)]
        last = int(request.query_params.get("tailLines", len(told)))
        return PlainTextResponse("\n".join(told[-last:]) + "\n")

    async def _kinds(self, _: Request) -> Response:
        about = {"kind": "K", "namespaced": True, "singularName": "", "verbs": []}
        known = [{"name": each, **about} for each in ("experiments", "trainjobs")]
        return JSONResponse({"kind": "APIResourceList", "groupVersion": "v", "resources": known})

    async def _runtime(self, request: Request) -> Response:
        name = request.path_params["name"]
        return JSONResponse({"metadata": {"name": name}}) if self.has_runtime else _missing()

    async def _review(self, request: Request) -> Response:
        asked = json.loads(await request.body())["spec"]["resourceAttributes"]
        return JSONResponse({"status": {"allowed": asked["verb"] not in self.forbidden}})

    _shown: Scene = field(default_factory=Scene)


@contextmanager
def step_cluster(trainer: FakeTrainer) -> Iterator[StepCluster]:
    """The namespace as a step in it sees it."""
    with api_client(trainer.routes()) as api:
        yield StepCluster(api, NAMESPACE, pause_seconds=0.01)


@contextmanager
def api_client(routes: Sequence[Route]) -> Iterator[client.ApiClient]:
    """A client of an API server with certain routes."""
    with running(routes) as url:
        configuration = client.Configuration()
        configuration.host = url
        yield client.ApiClient(configuration)


def _missing() -> Response:
    content: Mapping[str, Any] = {"kind": "Status", "reason": "NotFound", "message": "not found"}
    return JSONResponse(content, 404)
