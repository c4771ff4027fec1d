"""An API server with KServe for one service, which serves at once what is applied.

It checks no rights, no schemas and no other writers, keeps nothing but the newest object of a name,
and has a Kubernetes service's address for every predictor without anything behind it. That a real
API server and KServe's controller behave like this is shown by tests/cluster.
"""

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from components.deploy.cluster.api import Cluster
from components.deploy.inference_service import CANDIDATE, mode_of, release_of
from tests.applied import applied
from tests.fakes.http_server import running

NAMESPACE = "emotion"
SERVICE = f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices/emotion"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass
class FakeCluster:
    """What the cluster has, and what it was asked for.

    Args:
        has_knative: It serves Knative's group.
        has_keda: It serves KEDA's group.
        has_metrics: It serves the metrics of pods.
        minor: Its version is 1.minor.
        has_canary: Its InferenceService has the field `spec.canary`.
        refusal: Reason of the warning with which KServe refuses whatever is applied.
        conflicts: Number of deletes for which another writer is faster.
        asleep: Nobody asks, so that a service in Knative mode that may has no pods.
        port: Loopback port to which port-forwards lead; 0 forbids them.
        events: Its events.
        objects: Its objects, by path.
        applied: Every service that was applied, in turn.
        revisions: The releases that were applied, in turn.
        forwarded: The pods to which ports were forwarded.
    """

    has_knative: bool = False
    has_keda: bool = False
    has_metrics: bool = True
    minor: str = "34"
    has_canary: bool = True
    refusal: str = ""
    conflicts: int = 0
    asleep: bool = False
    port: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    applied: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def warn(self, reason: str, kind: str = "InferenceService") -> None:
        """Add a warning about the service, or count it again."""
        for event in self.events:
            if event["reason"] == reason:
                event["count"] += 1
                return
        about = {"kind": kind, "name": "emotion"}
        event = {"reason": reason, "message": f"{reason} it is", "involvedObject": about}
        self.events.append({"metadata": {"uid": reason}, "count": 1, **event})

    async def object(self, request: Request) -> Response:
        path = request.url.path
        present = self.objects.get(path)
        if request.method == "PATCH":
            return JSONResponse(self._apply(path, json.loads(await request.body())))
        if present is None:
            return _refusal(404, "not found")
        if request.method == "GET":
            return JSONResponse(self._shown(present))
        content = await request.json()
        version = present["metadata"]["resourceVersion"]
        wanted = content.get("preconditions") or content["metadata"]
        if self.conflicts and request.method == "DELETE":
            self.conflicts -= 1
            self._keep(path, present)
        elif wanted["resourceVersion"] == version:
            if request.method == "DELETE":
                return JSONResponse(self.objects.pop(path))
            return JSONResponse(self._keep(path, content))
        return _refusal(409, "the object has been modified")

    async def create(self, request: Request) -> Response:
        content = await request.json()
        path = f"{request.url.path}/{content['metadata']['name']}"
        return JSONResponse(self._keep(path, content), status_code=201)

    async def pods(self, request: Request) -> Response:
        label, _, value = request.query_params["labelSelector"].partition("=")
        service = self.objects.get(SERVICE)
        pods = [] if service is None else self._pods(service)
        wanted = [each for each in pods if each["metadata"]["labels"].get(label) == value]
        return JSONResponse({"items": wanted})

    async def listed_events(self, request: Request) -> Response:
        selector = request.query_params["fieldSelector"].split(",")
        about = next(each.partition("=")[2] for each in selector if "name=" in each)
        found = [each for each in self.events if each["involvedObject"]["name"] == about]
        return JSONResponse({"items": found})

    async def reviewed(self, _: Request) -> Response:
        return JSONResponse({"status": {"allowed": True}})

    async def version(self, _: Request) -> Response:
        return JSONResponse({"major": "1", "minor": self.minor})

    async def knative(self, _: Request) -> Response:
        return JSONResponse({"kind": "APIGroup"}) if self.has_knative else _refusal(404, "no")

    async def keda(self, _: Request) -> Response:
        return JSONResponse({"kind": "APIGroup"}) if self.has_keda else _refusal(404, "no")

    async def metrics(self, _: Request) -> Response:
        found = JSONResponse({"kind": "APIResourceList"})
        return found if self.has_metrics else _refusal(404, "no")

    async def schemas(self, _: Request) -> Response:
        kind = {"group": "serving.kserve.io", "version": "v1beta1", "kind": "InferenceService"}
        fields: dict[str, Any] = {"predictor": {}} | ({"canary": {}} if self.has_canary else {})
        schema = {
            "properties": {"spec": {"properties": fields}},
            "x-kubernetes-group-version-kind": [kind],
        }
        return JSONResponse({"components": {"schemas": {"InferenceService": schema}}})

    async def forward(self, websocket: WebSocket) -> None:
        """Forward a port as a kubelet does: channel 0 has its data, channel 1 its errors."""
        if not self.port:
            await websocket.close(403)
            return
        self.forwarded.append(websocket.path_params["pod"])
        await websocket.accept(subprotocol="v4.channel.k8s.io")
        port = int(websocket.query_params["ports"]).to_bytes(2, "little")
        for channel in (b"\0", b"\1"):
            await websocket.send_bytes(channel + port)
        try:
            far = socket.create_connection(("127.0.0.1", self.port))
        except OSError as error:
            await websocket.send_bytes(b"\1" + str(error).encode())
            await websocket.close()
            return
        with far:
            await _relay(websocket, far)

    def _apply(self, path: str, manifest: dict[str, Any]) -> dict[str, Any]:
        self.applied.append(manifest)
        if release_of(manifest) not in self.revisions[-1:]:
            self.revisions.append(release_of(manifest))
        if self.refusal:
            self.warn(self.refusal)
        return self._keep(path, applied(manifest))

    def _keep(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        metadata = {"uid": path, **content["metadata"]}
        metadata["resourceVersion"] = str(next(self._versions))
        self.objects[path] = {**content, "metadata": metadata}
        return self.objects[path]

    def _shown(self, content: dict[str, Any]) -> dict[str, Any]:
        if content["kind"] != "InferenceService" or self.refusal:
            return content
        status = self._knative(content) if mode_of(content) == "Knative" else _standard(content)
        return {**content, "status": status}

    def _knative(self, service: dict[str, Any]) -> dict[str, Any]:
        newest = f"emotion-predictor-{len(self.revisions):05}"
        percent = service["spec"]["predictor"].get("canaryTrafficPercent", 100)
        url = f"http://latest-emotion-predictor.{NAMESPACE}.example.com"
        traffic = [{"revisionName": newest, "percent": percent, "tag": "latest", "url": url}]
        predictor = {
            "latestCreatedRevision": newest,
            "latestReadyRevision": newest,
            "traffic": traffic,
            "address": {"url": f"http://emotion-predictor.{NAMESPACE}.svc.cluster.local"},
        }
        status = _status(f"http://emotion.{NAMESPACE}.svc.cluster.local")
        return {**status, "components": {"predictor": predictor}}

    def _pods(self, service: dict[str, Any]) -> list[dict[str, Any]]:
        spec, found = service["spec"], []
        if self.asleep and spec["predictor"].get("minReplicas") == 0:
            return []
        candidates = [each["predictor"] for each in spec.get("canary", [])]
        for predictor in (spec["predictor"], *candidates):
            name = f"emotion-{predictor.get('name', 'stable')}"
            labels = {**predictor["labels"], "serving.kserve.io/inferenceservice": "emotion"}
            labels["serving.knative.dev/revision"] = f"emotion-predictor-{len(self.revisions):05}"
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            found.append({"metadata": {"name": name, "labels": labels}, "status": ready})
        return found


@contextmanager
def kubernetes_api(**settings: Any) -> Iterator[tuple[Cluster, FakeCluster]]:
    """Run the server; yields a connection to it, and what it has."""
    fake = FakeCluster(**settings)
    api, leases = "/api/v1/namespaces/{namespace}", "/apis/coordination.k8s.io/v1/namespaces"
    methods = ["GET", "PATCH", "PUT", "DELETE"]
    routes = [
        Route(SERVICE, fake.object, methods=methods),
        Route(f"{leases}/{NAMESPACE}/leases", fake.create, methods=["POST"]),
        Route(f"{leases}/{NAMESPACE}/leases/{{name}}", fake.object, methods=methods),
        Route(f"{api}/pods", fake.pods),
        Route(f"{api}/events", fake.listed_events),
        Route("/version", fake.version),
        Route("/apis/serving.knative.dev", fake.knative),
        Route("/apis/keda.sh", fake.keda),
        Route("/apis/metrics.k8s.io/v1beta1", fake.metrics),
        Route(REVIEWS, fake.reviewed, methods=["POST"]),
        Route("/openapi/v3/apis/serving.kserve.io/v1beta1", fake.schemas),
        WebSocketRoute(f"{api}/pods/{{pod}}/portforward", fake.forward),
    ]
    with running(routes) as url:
        configuration = client.Configuration(host=url)
        yield Cluster(client.ApiClient(configuration), NAMESPACE), fake


def _standard(service: dict[str, Any]) -> dict[str, Any]:
    status = _status(f"http://emotion-predictor.{NAMESPACE}.svc.cluster.local")
    canaries = [
        {"name": each["predictor"]["name"], "ready": each["predictor"]["name"] == CANDIDATE}
        for each in service["spec"].get("canary", [])
    ]
    return {**status, "canaryStatuses": canaries} if canaries else status


def _status(url: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True"}
    stopped = {"type": "Stopped", "status": "False"}
    model = {"transitionStatus": "UpToDate"}
    return {"conditions": [ready, stopped], "modelStatus": model, "address": {"url": url}}


def _refusal(status: int, message: str) -> Response:
    body = {"kind": "Status", "status": "Failure", "message": message, "code": status}
    return JSONResponse(body, status_code=status)


async def _relay(websocket: WebSocket, far: socket.socket) -> None:
    import asyncio

    loop = asyncio.get_running_loop()

    async def back() -> None:
        while data := await loop.run_in_executor(None, far.recv, 65_536):
            await websocket.send_bytes(b"\0" + data)

    answers = asyncio.create_task(back())
    try:
        while True:
            frame = await websocket.receive_bytes()
            await loop.run_in_executor(None, far.sendall, frame[1:])
    except WebSocketDisconnect:
        far.shutdown(socket.SHUT_RDWR)
        await answers
