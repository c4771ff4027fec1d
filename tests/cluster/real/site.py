"""The namespace of the product on a whole cluster, with the kind overlay applied as shipped."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import s3fs
from kubernetes import client
from kubernetes.client import ApiException

from components.artifacts.model import bundle
from components.artifacts.model.version import model_version
from components.artifacts.registry import read_champion
from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.connection import connect
from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from tests import waiting
from tests.cluster.node.cluster import Cluster as Node
from tests.cluster.node.object_storage import BUCKET, KEY, SECRET, SERVICE
from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.step_pod import Call, Pipeline
from tests.evaluations import evaluated
from tests.images.make import TOP

REGISTRY = f"s3://{BUCKET}/models"
ENDPOINT = f"http://{SERVICE}"
DATASET = f"s3://{BUCKET}/runs/dataset"
PREDICTOR = "serving.kserve.io/inferenceservice=emotion"
_ENDED = ("Succeeded", "Failed")

wait_for = partial(waiting.wait_for, seconds=600)
"""Waits for what a node with two CPUs may take minutes for."""


def is_ready(pod: Any) -> bool:
    """Tell whether a pod is ready; one that was just made has no conditions yet."""
    return any(
        (each.type, each.status) == ("Ready", "True") for each in pod.status.conditions or ()
    )


@dataclass(frozen=True)
class Ended:
    """A pod that has ended."""

    succeeded: bool
    log: str

    @property
    def outputs(self) -> dict[str, str]:
        """The output parameters of a step."""
        found: dict[str, str] = json.loads(self.log.rpartition("\noutputs:")[2])
        return found


@dataclass
class Site:
    """The namespace, its object storage, and the pipeline compiled for it.

    Args:
        node: The cluster.
        pipeline: Compiled with the images in the cluster's registry.
        files: The object storage, from outside the cluster.
        models: Trained model folders by name.
    """

    node: Node
    pipeline: Pipeline
    files: s3fs.S3FileSystem
    models: Mapping[str, Path]
    runs: dict[str, str] = field(default_factory=dict)
    """The run of each model that was deployed last."""
    serving: str = ""
    """The model in service, as far as a test has shown; empty if that is not known."""

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.node.server.api("admin"))

    @property
    def cluster(self) -> Cluster:
        """The cluster as the deployer sees it."""
        token = self.node.server.token("deployer", NAMESPACE)
        return connect(kubeconfig=self.node.server.kubeconfig("deployer", NAMESPACE, token))

    def start(self, call: Call) -> str:
        """Start a step's pod; returns its name."""
        name = f"{call.step}-{uuid.uuid4().hex[:6]}"
        launcher = {"LAUNCHER_KEY": KEY, "LAUNCHER_SECRET": SECRET, "LAUNCHER_URL": ENDPOINT}
        self.core.create_namespaced_pod(NAMESPACE, self.pipeline.pod(call, name, launcher))
        return name

    def end_of(self, pod: str) -> Ended:
        """Wait for the end of a pod."""
        phase = wait_for(lambda: self._phase(pod) in _ENDED and self._phase(pod))
        return Ended(phase == "Succeeded", self.core.read_namespaced_pod_log(pod, NAMESPACE))

    def run(self, call: Call) -> Ended:
        """Run a step to its end."""
        return self.end_of(self.start(call))

    def deploy_call(self, model: str, image: str = "", **options: Any) -> Call:
        """The deploy step of a run that has trained a model, after the present champion.

        Args:
            model: Its name.
            image: Of the predictor; empty for the one of the compiled pipeline.
            options: Further settings of the step, or others than here; a busy machine may be slow.
        """
        run = f"{model}-{uuid.uuid4().hex[:6]}"
        self.runs[model] = run
        folder = f"{BUCKET}/runs/{run}"
        self.files.put(str(self.models[model]), f"{folder}/model", recursive=True)
        evaluation = evaluated(generation=self.champion_generation()).to_json()
        self.files.pipe(f"{folder}/evaluation", evaluation.encode())
        self.files.pipe(f"{folder}/card", b"# A model\n")
        return Call(
            "deploy",
            {
                "deploy_target": "kserve",
                "deploy_registry": REGISTRY,
                "deploy_options": {"ready_seconds": 180, "max_latency_ms": 20_000} | options,
                "run_id": run,
                "run_name": run,
                "serve_image": image or self.pipeline.serve_image,
            },
            {
                "model": f"s3://{folder}/model",
                "evaluation": f"s3://{folder}/evaluation",
                "card": f"s3://{folder}/card",
                "merged": DATASET,
            },
            {"deployment": f"s3://{folder}/deployment"},
        )

    def deploy(self, model: str) -> Ended:
        """Run the deploy step to its end."""
        return self.run(self.deploy_call(model))

    def other(self) -> str:
        """The good model that is not in service."""
        return "new" if self.serving == "old" else "old"

    def service(self) -> dict[str, Any] | None:
        """The InferenceService; None if there is none."""
        return self.cluster.read(SERVICES, "emotion")

    def found(self, pattern: str) -> list[str]:
        """The files in object storage that a pattern fits at present."""
        self.files.invalidate_cache()
        return list(self.files.glob(pattern))

    def predictors(self) -> list[Any]:
        """The predictor's pods."""
        return list(self.core.list_namespaced_pod(NAMESPACE, label_selector=PREDICTOR).items)

    def ready(self) -> set[str]:
        """Names of the predictor's pods that are ready and not ending."""
        lasting = [each for each in self.predictors() if not each.metadata.deletion_timestamp]
        return {each.metadata.name for each in lasting if is_ready(each)}

    def predictor_url(self) -> str:
        """Address of the predictor's Service, by number, since the tests ask no DNS."""
        found = self.core.read_namespaced_service("emotion-predictor", NAMESPACE)
        return f"http://{found.spec.cluster_ip}"

    def ask(self, texts: Sequence[str] = ("I can not believe it!",)) -> dict[str, Any]:
        """Ask the predictor, as a gateway would."""
        url = f"{self.predictor_url()}/v1/models/emotion:predict"
        answer = httpx.post(url, json={"instances": list(texts)}, timeout=30, trust_env=False)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask_over_grpc(self) -> str:
        """Ask the predictor over gRPC; returns the version that its answer names."""
        url = self.predictor_url().removeprefix("http://")
        text = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])
        text.contents.bytes_contents.append(b"I can not believe it!")
        with grpc.insecure_channel(f"{url}:8081") as channel:
            stub = service.GRPCInferenceServiceStub(channel)
            request = pb.ModelInferRequest(model_name="emotion", inputs=[text])
            return str(stub.ModelInfer(request, timeout=30).model_version)

    def version(self, model: str) -> str:
        """The version that the predictor of a deployed model answers."""
        return model_version(self.runs[model], bundle.verify(self.models[model]).sha256)

    def operate(self, action: str) -> subprocess.CompletedProcess[str]:
        """Run `make status` or `make rollback` as an operator outside of the cluster does."""
        kubeconfig = self.node.server.kubeconfig("admin", NAMESPACE)
        settings = f"SET=namespace={NAMESPACE} registry={REGISTRY} max_latency_ms=20000"
        return subprocess.run(
            ["make", "--old-file=setup", f"BIN={Path(sys.executable).parent}", action, settings],
            cwd=TOP,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )

    def require(self, model: str) -> None:
        """Assert that this model serves, is the champion, and that no deploy is under way."""
        self.serving = ""
        assert self.ask()["model_version"] == self.version(model)
        champion, _ = read_champion(REGISTRY)
        assert champion is not None
        assert champion.run_id == self.runs[model]
        lease = self.cluster.read(LEASES, "emotion-deploy")
        assert lease is not None
        journal = json.loads(lease["metadata"]["annotations"]["emotion-pipeline/journal"])
        assert journal["candidate"] is None
        self.serving = model

    def champion_generation(self) -> int:
        """The generation of the champion, 0 if there is none."""
        return read_champion(REGISTRY)[1]

    def clear(self) -> None:
        """Remove what a test has left: the service, its lease, pods, and the registry."""
        self.runs.clear()
        self.serving = ""
        api = client.CustomObjectsApi(self.node.server.api("admin"))
        group, version, plural = SERVICES
        api.delete_collection_namespaced_custom_object(group, version, NAMESPACE, plural)
        self.core.delete_collection_namespaced_pod(NAMESPACE, grace_period_seconds=0)
        leases = client.CoordinationV1Api(self.node.server.api("admin"))
        leases.delete_collection_namespaced_lease(NAMESPACE)
        if self.files.exists(REGISTRY):
            self.files.rm(REGISTRY, recursive=True)
        wait_for(lambda: not self.core.list_namespaced_pod(NAMESPACE).items)

    def _phase(self, pod: str) -> str:
        try:
            return str(self.core.read_namespaced_pod(pod, NAMESPACE).status.phase)
        except ApiException as error:
            assert error.status == httpx.codes.NOT_FOUND, error
            raise AssertionError(f"pod {pod} is gone") from None
