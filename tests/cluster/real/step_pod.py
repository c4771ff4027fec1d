"""The pods of a compiled pipeline's steps, as KFP makes them, but for its launcher."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compiled import executors, read_compiled

LAUNCHER = Path(__file__).parents[2] / "fakes" / "kfp_launcher.py"
_SCRATCH = ("gcs", "s3", "minio", ".local", ".cache", ".config")
_POD_NAME = {"name": "KFP_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
_OUTPUTS = "/tmp/kfp/outputs"  # noqa: S108 (in the pod)

Resource = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One run of a step.

    Args:
        step: Its name.
        parameters: By name; those that are left out get the pipeline's defaults.
        inputs: URIs of artifacts by name; several of one name make a list.
        outputs: Where artifacts go, by name.
    """

    step: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str | Sequence[str]]
    outputs: Mapping[str, str]


class Pipeline:
    """A compiled pipeline.

    Args:
        path: The compiled file.
        serve_image: The predictor's image in it.
    """

    def __init__(self, path: Path, serve_image: str) -> None:
        self.serve_image = serve_image
        self._spec, self._kubernetes = read_compiled(path)
        self._containers = executors(self._spec)

    def pod(self, call: Call, name: str, launcher: Mapping[str, str]) -> Resource:
        """The pod that runs a step.

        Args:
            call: The step and its inputs.
            name: Of the pod.
            launcher: Environment of the launcher's stand-in.
        """
        asked = dict(self._kubernetes[call.step])
        main = self._container(call, launcher, asked.pop("securityContext"))
        volumes: list[Resource] = [{"name": _volume(each), "emptyDir": {}} for each in _SCRATCH]
        labels = {"workflows.argoproj.io/workflow": name, **asked.pop("podMetadata")["labels"]}
        spec: Resource = {
            "restartPolicy": "Never",
            "serviceAccountName": "runner",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "activeDeadlineSeconds": int(asked.pop("activeDeadlineSeconds")),
            "containers": [main],
            "volumes": volumes,
        }
        _add_secrets(main, volumes, asked)
        _add_empty_dirs(main, volumes, asked)
        assert not asked, f"{call.step} asks KFP for what is not done here: {asked}"
        metadata = {"name": name, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def _container(
        self, call: Call, launcher: Mapping[str, str], user: Mapping[str, Any]
    ) -> Resource:
        container = self._containers[call.step]
        limits = container["resources"]
        command = [
            each.replace("{{$}}", json.dumps(self._executor_input(call)))
            for each in [*container["command"], *container["args"]]
        ]
        own = [{"name": key, "value": value} for key, value in launcher.items()]
        # By its name outcome would look for a Workflow, and there is no Argo here.
        own += [] if call.step == "outcome" else [_POD_NAME]
        return {
            "name": "main",
            "image": container["image"],
            "command": ["python3", "-c", LAUNCHER.read_text()],
            "args": command,
            "env": [*container.get("env", []), *own],
            "resources": {
                "limits": {
                    "cpu": limits["resourceCpuLimit"],
                    "memory": limits["resourceMemoryLimit"],
                }
            },
            # As KFP completes it: security_context.go in kubeflow/pipelines.
            "securityContext": {
                **{key: _number(each) for key, each in user.items()},
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumeMounts": [{"name": _volume(each), "mountPath": f"/{each}"} for each in _SCRATCH],
        }

    def _executor_input(self, call: Call) -> Resource:
        component = self._spec["components"][f"comp-{call.step}"]
        inputs, outputs = component["inputDefinitions"], component.get("outputDefinitions", {})
        declared = inputs.get("parameters", {})
        defaults = self._spec["root"]["inputDefinitions"]["parameters"]
        values = {
            name: defaults[name]["defaultValue"]
            for name in declared
            if "defaultValue" in defaults.get(name, {})
        }
        values |= call.parameters
        missing = {name for name, each in declared.items() if not each.get("isOptional")} - {
            *values
        }
        assert not missing, f"{call.step} needs {sorted(missing)}"
        return {
            "inputs": {
                "parameterValues": {name: values[name] for name in declared if name in values},
                "artifacts": _artifacts(inputs.get("artifacts", {}), call.inputs),
            },
            "outputs": {
                "parameters": {
                    name: {"outputFile": f"{_OUTPUTS}/{name}"}
                    for name in outputs.get("parameters", {})
                },
                "artifacts": _artifacts(outputs.get("artifacts", {}), call.outputs),
                "outputFile": f"{_OUTPUTS}/executor.json",
            },
        }


def _artifacts(
    declared: Mapping[str, Any], uris: Mapping[str, str | Sequence[str]]
) -> dict[str, Any]:
    assert declared.keys() >= uris.keys(), f"{sorted(uris)} of {sorted(declared)}"
    return {
        name: {
            "artifacts": [
                {"name": name, "type": declared[name]["artifactType"], "uri": uri, "metadata": {}}
                for uri in ([given] if isinstance(given, str) else given)
            ]
        }
        for name, given in uris.items()
    }


def _add_secrets(main: Resource, volumes: list[Resource], asked: Resource) -> None:
    for each in asked.pop("secretAsEnv", []):
        for pair in each["keyToEnv"]:
            reference = {"name": _name(each), "key": pair["secretKey"]}
            if each.get("optional"):
                reference["optional"] = True
            source = {"secretKeyRef": reference}
            main["env"].append({"name": pair["envVar"], "valueFrom": source})
    for each in asked.pop("secretAsVolume", []):
        secret = {"secretName": _name(each)}
        volumes.append({"name": f"secret-{_name(each)}", "secret": secret})
        mount = {"name": f"secret-{_name(each)}", "mountPath": each["mountPath"]}
        main["volumeMounts"].append(mount)


def _add_empty_dirs(main: Resource, volumes: list[Resource], asked: Resource) -> None:
    for each in asked.pop("emptyDirMounts", []):
        size = {"medium": each["medium"], "sizeLimit": each["sizeLimit"]}
        volumes.append({"name": each["volumeName"], "emptyDir": size})
        mount = {"name": each["volumeName"], "mountPath": each["mountPath"]}
        main["volumeMounts"].append(mount)


def _name(secret: Mapping[str, Any]) -> str:
    if "secretName" in secret:
        return str(secret["secretName"])
    return str(secret["secretNameParameter"]["runtimeValue"]["constant"])


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def _volume(folder: str) -> str:
    return f"{folder.replace('.', 'dot-')}-scratch"
