"""What the compiled pipeline hands to each step is what the step's own code takes.

KFP's executor runs the source that the YAML carries, with an executor input made from the YAML as
a cluster makes it, up to the call of the step itself: there its signature is checked, settings
and all, and nothing runs.
"""

import importlib
import json
import sys
from pathlib import Path
from unittest import mock

import pytest
from google.protobuf import json_format
from kfp import dsl
from kfp.dsl import executor_main
from kfp.local import executor_input_utils
from kfp.pipeline_spec import pipeline_spec_pb2

from components.errors import InputError
from pipelines.compile.compiler import COMPILED
from pipelines.parameters import read_parameters
from tests.compiled import executors, read_compiled, steps

PARAMS = Path(__file__).parents[3] / "pipelines" / "params"
SETS = sorted(path.stem for path in PARAMS.glob("*.yaml"))
SPEC, _ = read_compiled(COMPILED)

CALLS = {
    "preflight": "components.preflight.run.preflight",
    "generate": "components.generate.run.generate",
    "merge": "components.merge.run.merge",
    "train": "components.train.step.train_step",
    "evaluate": "components.evaluate.run.evaluate",
    "deploy": "components.deploy.run.deploy",
    "outcome": "components.outcome.run.outcome",
}
"""The one call that a component makes when it has its settings."""


class ReachedError(Exception):
    """The step was called as its signature wants it."""


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Start a step of the compiled pipeline as its container's command does."""

    def start(step, values):
        arguments = {**artifacts(step, tmp_path), **parameters(step, values)}
        given = executor_input_utils.construct_executor_input(
            component_spec(step), arguments, str(tmp_path), block_input_artifact=False
        )
        module = tmp_path / "ephemeral_component.py"
        container = executors(SPEC)[step]
        module.write_text(container["command"][-1])
        text = json_format.MessageToJson(given)
        options = [text if each == "{{$}}" else each for each in container["args"]]
        argv = ["executor_main", "--component_module_path", str(module), *options]
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setenv("_KFP_RUNTIME", "true")
        executor_main.executor_main()

    return start


def component_spec(step):
    spec = dict(SPEC["components"][f"comp-{step}"])
    return json_format.ParseDict(spec, pipeline_spec_pb2.ComponentSpec())


def artifacts(step, folder):
    """An artifact for each input of a step, as the step before it would have left it."""
    evaluation = folder / "evaluation.json"
    evaluation.write_text(json.dumps({}))
    inputs = SPEC["components"][f"comp-{step}"]["inputDefinitions"].get("artifacts", {})
    made = {name: dsl.Artifact(name=name, uri=str(evaluation), metadata={}) for name in inputs}
    return {
        name: [artifact] if inputs[name].get("isArtifactList") else artifact
        for name, artifact in made.items()
    }


def parameters(step, values):
    """The parameters that the compiled pipeline gives to a step, from those of a run."""
    given = {}
    for name, source in steps(SPEC)[step]["inputs"]["parameters"].items():
        if "runtimeValue" in source:
            given[name] = source["runtimeValue"]["constant"]
        elif "taskOutputParameter" in source:
            given[name] = "1"
        elif "taskFinalStatus" in source:
            given[name] = {"state": "SUCCEEDED", "pipelineJobResourceName": "run-1"}
        else:
            outer = source["componentInputParameter"].removeprefix("pipelinechannel--")
            models = values["generate_models"]
            branch = {"generate_model": models[0], "generate_models": models}
            given[name] = branch if outer.endswith("loop-item") else values[outer]
    return given


def reaching(step):
    module, name = CALLS[step].rsplit(".", 1)
    real = getattr(importlib.import_module(module), name)
    checked = mock.create_autospec(real, side_effect=ReachedError)
    return mock.patch(CALLS[step], checked)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("step", CALLS)
def test_a_step_takes_what_the_pipeline_gives(step, name, started):
    with reaching(step), pytest.raises(ReachedError):
        started(step, read_parameters(PARAMS / f"{name}.yaml"))


@pytest.mark.parametrize("step", ["generate", "merge", "train", "evaluate", "deploy"])
def test_a_step_refuses_an_option_that_it_does_not_know(step, started):
    values = {**read_parameters(None), f"{step}_options": {"misspelt": 1}}
    with reaching(step), pytest.raises(InputError, match="misspelt"):
        started(step, values)


def test_every_step_is_tried():
    assert set(CALLS) == set(executors(SPEC))


@pytest.mark.parametrize("step", CALLS)
def test_what_a_step_takes_and_makes_is_what_the_yaml_names(step):
    source = executors(SPEC)[step]["command"][-1]
    namespace = {}
    exec(source, namespace)  # noqa: S102
    annotations = dict(namespace[step].__annotations__)
    # A value without names is the output `Output`.
    returned = annotations.pop("return")
    outputs = getattr(returned, "_fields", ("Output",) if returned else ())
    definitions = SPEC["components"][f"comp-{step}"]
    named = [
        name
        for kind in ("inputDefinitions", "outputDefinitions")
        for group in definitions.get(kind, {}).values()
        for name in group
    ]
    assert sorted(named) == sorted([*annotations, *outputs])
