"""The compiled pipeline that the repository ships."""

import inspect
from graphlib import TopologicalSorter

import pytest
import yaml
from kfp import components

from pipelines.compile import COMPILED, compile_pipeline
from pipelines.emotion import emotion
from pipelines.graph import README, refreshed
from pipelines.resources import RESOURCES

STEPS = {"preflight", "generate", "merge", "train", "evaluate", "deploy", "outcome"}
UNCACHED = {"preflight", "deploy", "outcome"}


@pytest.fixture(scope="module")
def spec():
    return next(yaml.safe_load_all(COMPILED.read_text()))


def executors(spec):
    return {
        name.removeprefix("exec-"): each["container"]
        for name, each in spec["deploymentSpec"]["executors"].items()
    }


def inner_tasks(spec, task):
    """The tasks of a loop or condition; none for a step."""
    component = spec["components"][task["componentRef"]["name"]]
    return component.get("dag", {}).get("tasks", {})


def test_it_is_what_the_source_compiles_to(tmp_path):
    compile_pipeline(tmp_path / "emotion.yaml")
    fresh = (tmp_path / "emotion.yaml").read_text()
    assert fresh == COMPILED.read_text(), "run `make compile` and commit the result"


def test_the_graph_in_the_readme_is_drawn_from_it(spec):
    readme = README.read_text()
    assert "```mermaid\n" in readme
    assert refreshed(readme, spec) == readme, "run `make compile` and commit README.md"


def test_kfp_loads_it():
    loaded = components.load_component_from_file(str(COMPILED))
    assert loaded.name == "emotion"
    assert set(loaded.component_spec.inputs) == set(
        inspect.signature(emotion.pipeline_func).parameters
    )


def tasks_of_a_run(spec):
    """What stands inside the exit handler."""
    (run,) = (task for task in spec["root"]["dag"]["tasks"].values() if inner_tasks(spec, task))
    return inner_tasks(spec, run)


def test_each_step_has_its_own_image_but_those_around_them_run_in_that_of_deploy(spec):
    images = {name: each["image"].rpartition("/")[2] for name, each in executors(spec).items()}
    assert images == {step: step for step in STEPS} | {"preflight": "deploy", "outcome": "deploy"}


def test_every_step_waits_for_preflight(spec):
    tasks = tasks_of_a_run(spec)
    waiting = {"preflight"}
    for name in TopologicalSorter(
        {name: task.get("dependentTasks", ()) for name, task in tasks.items()}
    ).static_order():
        if waiting & set(tasks[name].get("dependentTasks", ())):
            waiting.add(name)
    assert waiting == set(tasks)


def test_outcome_comes_last_whatever_has_happened(spec):
    outcome = spec["root"]["dag"]["tasks"]["outcome"]
    assert outcome["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    (run,) = outcome["dependentTasks"]
    assert outcome["inputs"]["parameters"]["status"]["taskFinalStatus"]["producerTask"] == run
    assert set(spec["root"]["dag"]["tasks"]) == {run, "outcome"}


def test_deploy_waits_behind_the_gate(spec):
    tasks = tasks_of_a_run(spec)
    (gate,) = (task for task in tasks.values() if task["taskInfo"]["name"] == "gate")
    assert "evaluate-Output" in gate["triggerPolicy"]["condition"]
    assert set(inner_tasks(spec, gate)) == {"deploy"}


def test_each_llm_has_a_branch_of_its_own_and_merge_collects_them(spec):
    tasks = tasks_of_a_run(spec)
    (loop,) = (task for task in tasks.values() if "parameterIterator" in task)
    assert loop["parameterIterator"]["items"] == {"inputParameter": "pipelinechannel--models"}
    assert set(inner_tasks(spec, loop)) == {"generate"}
    inputs = spec["components"]["comp-merge"]["inputDefinitions"]["artifacts"]
    assert inputs["synthetic"]["isArtifactList"]


def test_what_is_true_of_one_run_alone_is_not_cached(spec):
    tasks = {"outcome": spec["root"]["dag"]["tasks"]["outcome"]}
    for task in tasks_of_a_run(spec).values():
        tasks |= inner_tasks(spec, task) or {task["taskInfo"]["name"]: task}
    cached = {
        name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")
    }
    assert set(tasks) == STEPS
    assert cached == STEPS - UNCACHED


def test_every_parameter_has_a_default_and_a_description(spec):
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    for name, each in parameters.items():
        assert each.get("description"), name
        assert each.get("isOptional"), name


@pytest.mark.parametrize("step", sorted(STEPS))
def test_each_step_asks_for_what_the_table_says(spec, step):
    resources = executors(spec)[step]["resources"]
    wanted = RESOURCES[step]
    assert resources["resourceCpuLimit"] == wanted.cpu
    assert resources["resourceMemoryLimit"] == wanted.memory
    assert int(resources.get("accelerator", {}).get("resourceCount", 0)) == wanted.gpus
    assert wanted.gpus == (1 if step in {"generate", "train"} else 0)


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_component_imports_only_kfp_and_the_standard_library_at_module_scope(step):
    module = inspect.getmodule(__import__(f"components.{step}.component", fromlist=[step]))
    lines = inspect.getsource(module).splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert imports == ["from kfp import dsl"]
