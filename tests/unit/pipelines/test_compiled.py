"""The compiled pipeline that the repository ships."""

import inspect
from graphlib import TopologicalSorter

import pytest
from kfp import components

from pipelines.compile.compiler import COMPILED, compile_pipeline
from pipelines.compile.readme import README, refreshed
from pipelines.compile.resources import RESOURCES
from pipelines.emotion import emotion
from tests.compiled import executors, read_compiled, steps

STEPS = {"preflight", "generate", "merge", "train", "evaluate", "deploy", "outcome"}
UNCACHED = {"preflight", "deploy", "outcome"}


@pytest.fixture(scope="module")
def spec():
    return read_compiled(COMPILED)[0]


@pytest.fixture(scope="module")
def kubernetes():
    return read_compiled(COMPILED)[1]


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


def all_tasks(spec):
    """The tasks of every level."""
    dags = [spec["root"]["dag"], *(each.get("dag", {}) for each in spec["components"].values())]
    return [task for dag in dags for task in dag.get("tasks", {}).values()]


def read_by(task):
    """The inputs of the surrounding group that a task takes, by its own names."""
    parameters = task["inputs"]["parameters"]
    return {name: each.get("componentInputParameter") for name, each in parameters.items()}


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


def test_evaluate_is_not_taken_from_the_cache_when_another_model_is_in_service(spec):
    seen = steps(spec)["evaluate"]["inputs"]["parameters"]["champion_generation"]
    assert seen["taskOutputParameter"]["producerTask"] == "preflight"


def test_outcome_comes_last_whatever_has_happened(spec):
    outcome = spec["root"]["dag"]["tasks"]["outcome"]
    assert outcome["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    (run,) = outcome["dependentTasks"]
    assert outcome["inputs"]["parameters"]["status"]["taskFinalStatus"]["producerTask"] == run
    assert set(spec["root"]["dag"]["tasks"]) == {run, "outcome"}


def test_deploy_waits_behind_the_gate(spec):
    tasks = tasks_of_a_run(spec)
    (gate,) = (task for task in tasks.values() if "triggerPolicy" in task)
    assert "evaluate-Output" in gate["triggerPolicy"]["condition"]
    assert set(inner_tasks(spec, gate)) == {"deploy"}


def test_each_llm_has_a_branch_of_its_own_and_merge_collects_them(spec):
    tasks = tasks_of_a_run(spec)
    (loop,) = (task for task in tasks.values() if "parameterIterator" in task)
    looped = loop["parameterIterator"]["items"]["inputParameter"]
    assert loop["inputs"]["parameters"][looped]["taskOutputParameter"] == {
        "producerTask": "preflight",
        "outputParameterKey": "Output",
    }
    assert set(inner_tasks(spec, loop)) == {"generate"}
    inputs = spec["components"]["comp-merge"]["inputDefinitions"]["artifacts"]
    assert inputs["synthetic"]["isArtifactList"]


def test_nothing_inside_a_loop_reads_the_list_that_is_looped_over(spec):
    # KFP's driver takes the list away there: "parent DAG does not have input parameter".
    loops = [task for task in all_tasks(spec) if "parameterIterator" in task]
    assert loops
    for loop in loops:
        looped = loop["parameterIterator"]["items"]["inputParameter"]
        for task in inner_tasks(spec, loop).values():
            assert looped not in read_by(task).values()


def test_what_is_true_of_one_run_alone_is_not_cached(spec):
    cached = {
        name
        for name, task in steps(spec).items()
        if task.get("cachingOptions", {}).get("enableCache")
    }
    assert set(steps(spec)) == STEPS
    assert cached == STEPS - UNCACHED


def test_every_parameter_has_a_default_and_a_description(spec):
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    for name, each in parameters.items():
        assert each.get("description"), name
        assert each.get("isOptional"), name


@pytest.mark.parametrize("step", sorted(STEPS))
def test_each_step_asks_for_its_resources(spec, kubernetes, step):
    resources, pod = executors(spec)[step]["resources"], kubernetes[step]
    found = (
        resources["resourceCpuLimit"],
        resources["resourceMemoryLimit"],
        int(resources.get("accelerator", {}).get("resourceCount", 0)),
        next((each["sizeLimit"] for each in pod.get("emptyDirMounts", ())), ""),
        int(pod["activeDeadlineSeconds"]) / 3600,
        steps(spec)[step].get("retryPolicy", {}).get("maxRetryCount", 0),
    )
    wanted = RESOURCES[step]
    assert found == (
        wanted.cpu,
        wanted.memory,
        wanted.gpus,
        wanted.shared_memory,
        wanted.hours,
        wanted.retries,
    )


@pytest.mark.parametrize("step", sorted(STEPS - {"preflight", "deploy"}))
def test_the_last_retry_may_still_begin_when_every_try_before_it_took_its_time(
    spec, kubernetes, step
):
    policy = steps(spec)[step]["retryPolicy"]
    deadline = int(kubernetes[step]["activeDeadlineSeconds"])
    window = int(policy["backoffMaxDuration"].removesuffix("s"))
    assert window > (policy["maxRetryCount"] + 1) * deadline


@pytest.mark.parametrize("step", sorted(STEPS))
def test_each_pod_is_labelled_for_the_network_policies_and_is_not_root(kubernetes, step):
    pod = kubernetes[step]
    assert pod["podMetadata"]["labels"] == {"emotion-pipeline/step": step}
    assert pod["securityContext"] == {"runAsNonRoot": True, "runAsUser": "1000"}


def test_it_runs_on_a_cluster_without_secrets_volumes_or_labelled_nodes(kubernetes):
    always = {"activeDeadlineSeconds", "podMetadata", "securityContext", "emptyDirMounts"}
    assert set().union(*kubernetes.values()) <= always


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_component_imports_only_kfp_and_the_standard_library_at_module_scope(step):
    module = inspect.getmodule(__import__(f"components.{step}.component", fromlist=[step]))
    lines = inspect.getsource(module).splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    assert set(imports) <= {"from kfp import dsl", "from typing import NamedTuple"}
