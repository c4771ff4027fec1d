"""The second pipeline: `make watch` here, and what `make compile` and `make submit` make of it."""

import contextlib
import inspect
import io
import json

import pytest

from components.errors import InputError
from pipelines.compile.compiler import compile_pipeline
from pipelines.definitions import WATCH
from pipelines.local import watch as command
from pipelines.parameters import read_watch_parameters
from pipelines.watch import watch
from tests.compiled import executors, read_compiled, steps
from tests.fakes.kfp_api import FakeKfp, serving
from tests.pipelines.test_submit import submit
from tests.traffic import other, similar, write_log, write_reference

GIVEN = ["watch_payloads=gs://logs/emotion", "deploy_registry=gs://models"]

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


@pytest.fixture(scope="module")
def reference(model_folder, dataset_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "metrics.json"
    return write_reference(model_folder, dataset_folder, path)


def make_watch(texts, model, reference, folder, *overrides):
    """The command behind `make watch`; gives what was found, and the run's folder."""
    log = write_log(folder / "log", texts)
    options = ["--payloads", log, "--model", model, "--reference", reference]
    options += ["--runs", folder / "runs", "--set", " ".join(overrides)]
    with contextlib.redirect_stdout(io.StringIO()):
        command.main([*map(str, options)], standalone_mode=False)
    latest = folder / "runs" / "latest"
    return json.loads((latest / "findings.json").read_text()), latest


def test_traffic_like_the_rows_of_training_is_no_drift_and_other_traffic_is(
    model_folder, dataset_folder, reference, tmp_path
):
    found, latest = make_watch(similar(dataset_folder), model_folder, reference, tmp_path / "same")
    assert (found["verdict"], found["drifted"]) == ("no drift", [])
    assert "<h2>No drift</h2>" in (latest / "report.html").read_text()
    options = ["watch_options.min_texts=50", "watch_options.label_tasks=5"]
    found, latest = make_watch(other(), model_folder, reference, tmp_path / "other", *options)
    assert found["verdict"] == "drift"
    assert len(json.loads((latest / "labelling" / "tasks.json").read_text())) == 5
    (executed,) = latest.glob("artifacts/*/watch/executor_output.json")
    written = json.loads(executed.read_text())
    assert written["parameterValues"]["Output"] == "drift"
    assert written["artifacts"]["figures"]["artifacts"][0]["metadata"]["drift"] == 1


def test_a_step_that_fails_ends_the_command_with_its_reason(model_folder, tmp_path):
    reference = tmp_path / "other.json"
    reference.write_text("{}")
    with pytest.raises(SystemExit, match=r"step watch: failed: .*holds no profile"):
        make_watch(["x"], model_folder, reference, tmp_path / "run")


def test_it_is_what_the_source_compiles_to(tmp_path):
    compile_pipeline(tmp_path / "watch.yaml", definition=WATCH)
    fresh = (tmp_path / "watch.yaml").read_text()
    assert fresh == WATCH.compiled.read_text(), "run `make compile` and commit the result"


def test_the_step_is_not_cached_and_runs_in_the_image_of_evaluate():
    spec, kubernetes = read_compiled(WATCH.compiled)
    assert "enableCache" not in steps(spec)["watch"].get("cachingOptions", {})
    assert executors(spec)["watch"]["image"] == "emotion-pipeline/evaluate"
    labels = kubernetes["watch"]["podMetadata"]["labels"]
    assert labels == {"emotion-pipeline/step": "watch", "access-ml-pipeline": "true"}
    shown = spec["root"]["inputDefinitions"]["parameters"]
    assert set(shown) == set(inspect.signature(watch.pipeline_func).parameters)
    assert all(each["description"] and each["isOptional"] for each in shown.values())


def test_its_parameters_are_checked_and_those_of_a_cluster_are_taken():
    cluster = {"deploy_registry": "gs://models", "train_epochs": 3}
    values = read_watch_parameters(
        None, ["watch_payloads=gs://logs watch_options.trigger=false"], cluster
    )
    assert values == {
        "watch_payloads": "gs://logs",
        "deploy_registry": "gs://models",
        "watch_options": {"trigger": False},
        "seed": 0,
    }
    with pytest.raises(InputError, match="payloads"):
        read_watch_parameters(None, (), cluster)
    with pytest.raises(InputError, match=r"watch_payload.*is not known.*watch_payloads"):
        read_watch_parameters(None, ["watch_payload=x"])


def submitted(*options):
    fake = FakeKfp()
    set_options = [word for each in GIVEN for word in ("--set", each)]
    with serving(fake) as url:
        status, output = submit(url, "--pipeline", "watch", *set_options, *options, params=None)
    assert status == 0, output
    return fake


def test_it_is_scheduled_beside_the_first_pipeline():
    fake = submitted("--schedule")
    assert [each.display_name for each in fake.pipelines] == ["watch"]
    (recurring,) = fake.recurring
    assert (recurring.display_name, recurring.service_account) == ("watch-daily", "runner")
    assert recurring.runtime_config.parameters["watch_payloads"] == "gs://logs/emotion"
    assert recurring.trigger.cron_schedule.cron == "0 0 5 * * *"


def test_it_runs_once_under_its_own_name():
    fake = submitted()
    (run,) = fake.runs
    assert run.display_name.startswith("watch 20")
    assert fake.versions[0].display_name.startswith("watch-")
