"""What KFP's MLflow plugin is told of a run, and what is said of its answer."""

import pytest
from kfp_server_api import V2beta1MetadataValue, V2beta1PluginOutput

from tests.fakes.kfp_api import FakeKfp, serving
from tests.pipelines.test_submit import submit

NAMED = {"mlflow": {"experiment_name": "emotions"}}
ADDRESS = "https://mlflow.example/experiments/42/runs/a1"

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


def submitted(*options, answer=None):
    """A server that was sent something, and what was said of it."""
    fake = FakeKfp()
    fake.plugins_output = answer
    with serving(fake) as url:
        status, output = submit(url, *options)
    assert status == 0, output
    return fake, output


def test_a_run_names_its_experiment_and_its_address_is_said():
    answer = V2beta1PluginOutput(entries={"run_url": V2beta1MetadataValue(value=ADDRESS)})
    fake, output = submitted("--mlflow-experiment", "emotions", answer={"mlflow": answer})
    assert fake.runs[0].plugins_input == NAMED
    assert f"MLflow: {ADDRESS}\n" in output


def test_a_schedule_names_it_too():
    fake, _ = submitted("--mlflow-experiment", "emotions", "--schedule")
    assert fake.recurring[0].plugins_input == NAMED
    assert fake.recurring[0].mode == "ENABLE"


def test_without_an_experiment_nothing_is_said_to_or_of_a_plugin():
    fake, output = submitted()
    assert fake.runs[0].plugins_input is None
    assert "MLflow" not in output


def test_an_mlflow_that_failed_does_not_end_the_run():
    answer = V2beta1PluginOutput(state="PLUGIN_FAILED", state_message="cannot be reached")
    _, output = submitted("--mlflow-experiment", "emotions", answer={"mlflow": answer})
    assert "MLflow: cannot be reached\n" in output


def test_a_kfp_without_the_plugin_is_named():
    _, output = submitted("--mlflow-experiment", "emotions")
    assert "MLflow: KFP says nothing of it" in output
