"""The pipeline on a real Kubeflow: `make test-kubeflow HOST=url NAMESPACE=name`.

The tests build on each other: the first run deploys what the endpoint answers with, and fills the
cache for the second.
"""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from components.artifacts.task import load_task
from pipelines.compile.compiler import COMPILED
from tests.compiled import read_compiled, steps
from tests.kubeflow.endpoint import is_ready, predict
from tests.kubeflow.evidence import artifacts, cached

pytestmark = [
    pytest.mark.kubeflow,
    pytest.mark.filterwarnings("ignore:This client only works:FutureWarning"),
]

SPEC, _ = read_compiled(COMPILED)
DECLARED = {
    (step, name)
    for step in steps(SPEC)
    for name in SPEC["components"][f"comp-{step}"].get("outputDefinitions", {}).get("artifacts", {})
}
"""Every artifact of every step."""
WITHOUT_A_FILE = {("evaluate", "scores"), ("evaluate", "confusion")}
"""Metrics, which are numbers beside the artifact."""
IF_WANTED = {("train", "real_only"), ("train", "checkpoints")}
NOWHERE = "/no/such/rows.csv"
SENTENCE = "I can not believe it!"


@pytest.fixture(scope="module")
def first(target):
    """A whole run that deploys."""
    return target.submit()


@pytest.fixture(scope="module")
def first_workflow(target, first):
    return target.observed(first.run_id).workflow()


def record_of(target, run_id):
    """What the exit handler of a run has recorded."""
    (uri,) = artifacts(target.observed(run_id).workflow())["outcome", "record"]
    return json.loads(target.content(uri))


def test_every_step_of_a_run_succeeds(first):
    assert first.status == 0, first.output
    for step in steps(SPEC):
        assert f"{step}: succeeded" in first.output


def test_the_link_of_the_run_is_a_page(target, first):
    assert f"run {first.run_id}: {target.ui.rstrip('/')}/#/runs/details/" in first.output


def test_every_artifact_of_every_step_is_there_and_the_ui_shows_it(target, first_workflow):
    found = artifacts(first_workflow)
    assert set(found) >= DECLARED
    for step, name in DECLARED - WITHOUT_A_FILE - IF_WANTED:
        for uri in found[step, name]:
            assert target.content(uri, peek=1000), f"{step}: {name} is empty"


@pytest.mark.parametrize(("step", "name"), [("merge", "report"), ("evaluate", "report")])
def test_a_report_is_a_page(target, first_workflow, step, name):
    (uri,) = artifacts(first_workflow)[step, name]
    assert target.content(uri).lstrip()[:9].lower() == b"<!doctype"


def test_the_outcome_is_recorded(target, first):
    record = record_of(target, first.run_id)
    assert (record["run_id"], record["state"], record["error"]) == (first.run_id, "SUCCEEDED", "")


def test_the_endpoint_answers(target, first):
    assert first.status == 0, first.output
    assert is_ready(target)
    (answer,) = predict(target, [SENTENCE])
    labels = {each.name for each in load_task("emotion").labels}
    assert answer["label"] in labels


@pytest.mark.usefixtures("first")
def test_a_second_run_takes_from_the_cache_what_has_not_changed(target):
    second = target.submit()
    assert second.status == 0, second.output
    again = cached(target.observed(second.run_id).workflow())
    # The champion has changed since, which evaluate compares with.
    assert {"generate", "merge", "train"} <= again
    assert not {"preflight", "deploy", "outcome"} & again


def test_a_run_that_fails_says_which_step_and_why(target):
    failed = target.submit(assignments=f"merge_dataset={NOWHERE}")
    assert failed.status == 1
    assert "preflight failed: " in failed.output
    assert NOWHERE in failed.output.partition("preflight failed: ")[2]
    record = record_of(target, failed.run_id)
    assert (record["state"], record["step"]) == ("FAILED", "preflight")
    assert NOWHERE in record["error"]


def test_a_pod_that_waits_is_named_and_the_run_s_end_by_hand_recorded(target, tmp_path):
    settings = target.settings()
    settings["secrets"] = {**settings.get("secrets", {}), "llm_key": "no-such-secret"}
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(settings))
    late = target.submit("--settings", str(path), hours="0.05")
    assert late.status == 1
    assert "has been waiting for more than a minute" in late.output
    assert 'secret "no-such-secret" not found' in late.output
    target.end(late.run_id)
    assert record_of(target, late.run_id)["state"] == "CANCELLED"


def test_a_schedule_starts_a_run_once(target):
    soon = datetime.now(UTC) + timedelta(minutes=2)
    cron = f"0 {soon.minute} {soon.hour} {soon.day} {soon.month} *"
    scheduled = target.submit("--schedule", cron)
    assert scheduled.status == 0, scheduled.output
    deadline = time.monotonic() + 300
    while not (started := target.runs_of(scheduled.schedule_id)):
        assert time.monotonic() < deadline, "the schedule has started no run"
        time.sleep(5)
    time.sleep(30)
    (run,) = target.runs_of(scheduled.schedule_id)
    assert [run.run_id] == [each.run_id for each in started]
    assert run.runtime_config.parameters["deploy_target"] == "kserve"
