"""Taking compiled pipelines apart."""

from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


def read_compiled(path: Path) -> tuple[Document, Document]:
    """The pipeline's specification and, by executor, what it asks of Kubernetes."""
    spec, platforms = yaml.load_all(path.read_text(), yaml.CSafeLoader)
    kubernetes = platforms["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return spec, {name.removeprefix("exec-"): each for name, each in kubernetes.items()}


def executors(spec: Document) -> Document:
    """The container of each step."""
    return {
        name.removeprefix("exec-"): each["container"]
        for name, each in spec["deploymentSpec"]["executors"].items()
    }


def steps(spec: Document) -> Document:
    """The task of each step, loops and conditions opened."""
    dags = [spec["root"]["dag"]]
    dags += [each["dag"] for each in spec["components"].values() if "dag" in each]
    return {
        task["componentRef"]["name"].removeprefix("comp-"): task
        for dag in dags
        for task in dag["tasks"].values()
        if "executorLabel" in spec["components"][task["componentRef"]["name"]]
    }
