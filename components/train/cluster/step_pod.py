"""The pod of the step, by which its jobs are made: image, account's keys, resources, and end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.artifacts.jobs import WORKFLOW
from components.errors import InputError
from components.train.cluster.pods import Access, PodResources
from components.train.settings import TrainSettings

_CONTAINER = "main"
# KFP's and Argo's own, which say who the pod is and would be wrong in another.
_OF_THE_POD = ("ARGO_", "KFP_", "KUBERNETES_", "NAMESPACE", "POD_")
_RUN = "pipeline/runid"
_PLACEMENT = ("affinity", "nodeSelector", "tolerations")


@dataclass(frozen=True)
class StepPod:
    """The pod of a step.

    Args:
        manifest: The pod, as the API server has it.

    Raises:
        InputError: If it has no container of the step.
    """

    manifest: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self._containers():
            rule = f"has no container {_CONTAINER!r}, as Argo names that of a step"
            raise InputError(f"pod {self._metadata['name']}", rule, "Let KFP start the step")

    @property
    def image(self) -> str:
        """Container image of the step, by digest if the pipeline was compiled so."""
        return str(self._container["image"])

    @property
    def environment(self) -> list[Mapping[str, Any]]:
        """Variables of the step's container, but for those that are about this very pod."""
        return [
            each
            for each in self._container.get("env") or ()
            if not each["name"].startswith(_OF_THE_POD)
            and "fieldRef" not in (each.get("valueFrom") or {})
        ]

    @property
    def access(self) -> Access:
        """Account, variables and nodes of the step, for pods that do without a runtime's."""
        spec = self.manifest["spec"]
        account = spec.get("serviceAccountName") or Access.account
        placement = {name: spec[name] for name in _PLACEMENT if spec.get(name)}
        return Access(account, variables=self.environment, placement=placement)

    @property
    def labels(self) -> dict[str, str]:
        """Labels by which its jobs are known as those of its run."""
        labels = self._metadata.get("labels") or {}
        return {name: labels[name] for name in (WORKFLOW, _RUN) if name in labels}

    @property
    def owner(self) -> dict[str, str]:
        """What makes Kubernetes delete a job along with the pod."""
        name, uid = self._metadata["name"], self._metadata["uid"]
        return {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}

    def node(self, settings: TrainSettings) -> PodResources:
        """Resources of a node: those of the settings, else those of the step.

        Raises:
            InputError: If neither names CPUs or memory.
        """
        resources = self._container.get("resources") or {}
        limits = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
        for name, given in (("cpu", settings.node_cpu), ("memory", settings.node_memory)):
            if not given and name not in limits:
                rule = "is not set, and the step's own pod asks for none"
                raise InputError(f"train_options.node_{name}", rule, "Set it")
        gpus = {name: count for name, count in limits.items() if "/" in name}
        resource, count = next(iter(gpus.items()), (PodResources.gpu_resource, "0"))
        return PodResources(
            cpu=settings.node_cpu or str(limits.get("cpu", "")),
            memory=settings.node_memory or str(limits.get("memory", "")),
            gpus=int(count) if settings.node_gpus < 0 else settings.node_gpus,
            gpu_resource=resource,
        )

    @property
    def _metadata(self) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self.manifest["metadata"]
        return metadata

    @property
    def _container(self) -> Mapping[str, Any]:
        return self._containers()[0]

    def _containers(self) -> list[Mapping[str, Any]]:
        every = self.manifest["spec"]["containers"]
        return [each for each in every if each["name"] == _CONTAINER]
