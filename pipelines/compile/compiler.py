"""The compiled pipeline."""

import ast
import hashlib
import json
import pprint
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler
from kfp.compiler import KubernetesManifestOptions
from kfp.dsl.base_component import BaseComponent

from pipelines.compile.dropdowns import add_dropdowns
from pipelines.compile.settings import PLAIN, CompileSettings
from pipelines.definitions import EMOTION, Definition

COMPILED = EMOTION.compiled
_DEFAULT = re.compile(r"(?<=^#)(?P<before>.*)\[Default: (?P<value>\{.*\})\]$", re.MULTILINE)


def compile_pipeline(
    output: Path,
    settings: CompileSettings = PLAIN,
    parameters: Mapping[str, Any] | None = None,
    definition: Definition = EMOTION,
) -> None:
    """Write the YAML that the KFP UI imports.

    Args:
        output: The file.
        settings: Settings of the cluster.
        parameters: Values that the UI's form shows; without them the defaults of the pipeline.
        definition: The pipeline.

    Raises:
        InputError: If the settings have an image lock that lacks an image.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    pipeline = _pipeline(definition, settings, parameters or {})
    compiler.Compiler().compile(pipeline, package_path=str(output), pipeline_parameters=parameters)
    text = output.read_text(encoding="utf-8")
    output.write_text(_DEFAULT.sub(_in_order, text), encoding="utf-8")


def compile_objects(
    output: Path,
    settings: CompileSettings,
    parameters: Mapping[str, Any],
    namespace: str,
    definition: Definition = EMOTION,
) -> None:
    """Write the pipeline as objects of Kubernetes, for a KFP that keeps its pipelines there.

    Args:
        output: The file, with a Pipeline and a PipelineVersion named after its content.
        settings: Settings of the cluster.
        parameters: Values that the UI's form shows.
        namespace: Namespace of the objects.
        definition: The pipeline.

    Raises:
        InputError: As for `compile_pipeline`.

    Source: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/compile-a-pipeline/
    """
    compile_pipeline(output, settings, parameters, definition)
    compiler.Compiler().compile(
        _pipeline(definition, settings, parameters),
        package_path=str(output),
        pipeline_parameters=dict(parameters),
        kubernetes_manifest_format=True,
        kubernetes_manifest_options=KubernetesManifestOptions(
            pipeline_name=definition.name,
            pipeline_version_name=version_name(output),
            namespace=namespace,
            include_pipeline_manifest=True,
        ),
    )


def _pipeline(
    definition: Definition, settings: CompileSettings, parameters: Mapping[str, Any]
) -> BaseComponent:
    pipeline = definition.build(settings)
    add_dropdowns(pipeline.pipeline_spec, parameters)
    return pipeline


def version_name(package: Path) -> str:
    """Name a compiled pipeline after its content.

    Args:
        package: The compiled pipeline; its comments and order differ from time to time.
    """
    content = _content(package)
    sha256 = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{pipeline_name(package)}-{sha256[:16]}"


def pipeline_name(package: Path) -> str:
    """The name of a compiled pipeline."""
    return str(_content(package)[0]["pipelineInfo"]["name"])


def _content(package: Path) -> list[dict[str, Any]]:
    with package.open(encoding="utf-8") as file:
        return list(yaml.load_all(file, yaml.CSafeLoader))


def _in_order(default: re.Match[str]) -> str:
    """A default in a comment, whose keys kfp leaves in another order in every process."""
    value = ast.literal_eval(default["value"])
    return f"{default['before']}[Default: {pprint.pformat(value, width=sys.maxsize)}]"
