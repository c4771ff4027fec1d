"""Draw the compiled pipeline into README.md: `python -m pipelines.compile.readme`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import components

from pipelines.compile.compiler import COMPILED

README = Path(__file__).parents[2] / "README.md"
_OUTPUT = {"preflight": "LLMs", "evaluate": "verdict"}
"""The value that a step returns as `Output`."""
_BLOCK = re.compile(r"```mermaid\n.*?```", re.DOTALL)


def mermaid(spec: Mapping[str, Any]) -> str:
    """The tasks of a compiled pipeline, in order, and what passes between them.

    Args:
        spec: A KFP pipeline specification.
    """
    return "\n".join(["flowchart LR", *_lines(spec, spec["root"]["dag"], "  ")]) + "\n"


def _lines(spec: Mapping[str, Any], dag: Mapping[str, Any], indent: str) -> Iterator[str]:
    tasks = dag["tasks"]
    before = {name: tasks[name].get("dependentTasks", ()) for name in sorted(tasks)}
    for name in TopologicalSorter(before).static_order():
        task = tasks[name]
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" in component:
            # What is in brackets is for readers of KFP's UI.
            title = task["taskInfo"]["name"].partition(" (")[0]
            yield f'{indent}subgraph {name} ["{title}"]'
            yield from _lines(spec, component["dag"], indent + "  ")
            yield f"{indent}end"
        else:
            yield f"{indent}{name}"
        received = _received(task)
        for producer in before[name]:
            passed = f" -- {' + '.join(received[producer])} " if producer in received else " "
            yield f"{indent}{producer}{passed}--> {name}"


def _received(task: Mapping[str, Any]) -> dict[str, list[str]]:
    received = defaultdict(list)
    for _, source in sorted(task["inputs"].get("artifacts", {}).items()):
        if output := source.get("taskOutputArtifact"):
            # A loop passes its tasks' outputs on under a longer name that ends in the plain one.
            received[output["producerTask"]].append(output["outputArtifactKey"].split("-")[-1])
    for _, source in sorted(task["inputs"].get("parameters", {}).items()):
        if output := source.get("taskOutputParameter"):
            said = _said(output["producerTask"], output["outputParameterKey"])
            received[output["producerTask"]].append(said)
        if status := source.get("taskFinalStatus"):
            received[status["producerTask"]].append("final status")
    return received


def _said(producer: str, key: str) -> str:
    return _OUTPUT[producer] if key == "Output" else key


def refreshed(readme: str, spec: Mapping[str, Any]) -> str:
    """The text of README.md with its graph redrawn."""
    return _BLOCK.sub(lambda _: f"```mermaid\n{mermaid(spec)}```", readme, count=1)


def main() -> None:
    """Draw the graph of the compiled pipeline into README.md."""
    compiled = components.load_component_from_file(str(COMPILED))
    spec = json_format.MessageToDict(compiled.pipeline_spec)
    README.write_text(refreshed(README.read_text(encoding="utf-8"), spec), encoding="utf-8")


if __name__ == "__main__":
    main()
