"""`make submit`: the pipeline uploaded, run, scheduled and watched, against KFP's own client."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import yaml
from kfp import Client
from kfp_server_api import V2beta1Run

from components import storage
from components.errors import InputError
from pipelines.submit.__main__ import main
from pipelines.submit.submission import failures, read_schedule, watch
from tests.fakes.kfp_api import FakeKfp, serving

ROOT = Path(__file__).parents[2]
RECURRING = ROOT / "manifests" / "base" / "recurring-run.yaml"
GKE = "manifests/overlays/gke/compile-settings.yaml"

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


def submit(url, *options):
    """The command behind `make submit` with the smoke set; gives status and output."""
    command = ["submit", "--host", url, "--params", "pipelines/params/smoke.yaml"]
    command += ["--poll-seconds", "0.01", *options]
    with (
        mock.patch.object(sys, "argv", command),
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(io.StringIO()) as output,
    ):
        try:
            main()
        except SystemExit as ended:
            return 1, f"{output.getvalue()}{ended.code}"
    return 0, output.getvalue()


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The same pipeline submitted twice, with rows that change in between."""
    rows = tmp_path_factory.mktemp("rows") / "rows.csv"
    fake = FakeKfp()
    ended, hashes = [], []
    with serving(fake) as url:
        for text in ("text,label\nhello,joy\n", "text,label\nhello,love\n"):
            rows.write_text(text)
            hashes.append(storage.content_sha256(rows))
            fake.looks = 0
            ended.append(
                submit(url, "--settings", GKE, "--set", f"merge_dataset={rows} train_epochs=2")
            )
    return fake, url, ended, hashes


def test_a_run_is_watched_to_its_end_and_its_link_printed(twice):
    fake, url, ended, _ = twice
    (status, output), (again, _) = ended
    assert (status, again) == (0, 0), output
    assert f"{url}/#/runs/details/{fake.runs[0].run_id}" in output
    told = [line for line in output.splitlines() if line.startswith("train")]
    assert told == ["train: pending", "train: running", "train: succeeded"]


def test_the_same_content_is_uploaded_once(twice):
    fake, *_ = twice
    assert (len(fake.pipelines), len(fake.versions), len(fake.experiments)) == (1, 1, 1)
    assert len(fake.runs) == 2


def test_a_run_has_the_set_the_cluster_and_the_overrides(twice):
    fake, *_ = twice
    parameters = fake.runs[0].runtime_config.parameters
    assert parameters["evaluate_gate"] == "smoke"
    assert parameters["train_epochs"] == 2
    assert parameters["deploy_registry"] == "gs://my-bucket/models"
    assert fake.runs[0].service_account == "runner"


def test_a_changed_data_set_gives_other_parameters_and_so_another_cache_key(twice):
    fake, _, _, hashes = twice
    given = [run.runtime_config.parameters["merge_dataset_revision"] for run in fake.runs]
    assert given == [f"sha256:{each}" for each in hashes]
    assert given[0] != given[1]


def test_another_content_is_another_version():
    fake = FakeKfp()
    with serving(fake) as url:
        for settings in ("gke", "kind"):
            path = f"manifests/overlays/{settings}/compile-settings.yaml"
            fake.looks = 0
            assert submit(url, "--settings", path)[0] == 0
    assert len(fake.pipelines) == 1
    assert len({each.name for each in fake.versions}) == 2


def test_an_upload_alone_runs_nothing():
    fake = FakeKfp()
    with serving(fake) as url:
        status, output = submit(url, "--upload-only", "--schedule")
    assert status == 0
    (version,) = fake.versions
    assert version.name in output
    assert not fake.runs
    assert not fake.recurring


def test_a_failed_run_fails_the_command_and_names_the_step():
    command = [sys.executable, "-m", "pipelines.submit", "--poll-seconds", "0.01", "--host"]
    with serving(FakeKfp(["RUNNING", "FAILED"])) as url:
        ended = subprocess.run(
            [*command, url], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
    assert ended.returncode == 1
    assert "train: out of memory" in ended.stderr
    assert "Warning" not in ended.stderr


def test_a_schedule_is_replaced_and_neither_cached_nor_pinned(tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\nhello,joy\n")
    fake = FakeKfp()
    with serving(fake) as url:
        assert submit(url, "--schedule")[0] == 0
        status, output = submit(url, "--schedule", "0 30 4 * * 2", "--set", f"merge_dataset={rows}")
    assert status == 0, output
    (recurring,) = fake.recurring
    assert recurring.trigger.cron_schedule.cron == "0 30 4 * * 2"
    assert (recurring.display_name, recurring.mode) == ("emotion-weekly", "ENABLE")
    assert (recurring.max_concurrency, recurring.no_catchup) == ("1", True)
    assert recurring.service_account == "runner"
    assert recurring.runtime_config.parameters["merge_dataset_revision"] == ""
    assert not fake.runs
    (component,) = fake.specs.values()
    tasks = component.pipeline_spec.root.dag.tasks
    assert not any(task.caching_options.enable_cache for task in tasks.values())


def test_the_token_comes_from_the_environment(monkeypatch):
    fake = FakeKfp()
    fake.token = "a-token"  # noqa: S105
    monkeypatch.setenv("KFP_TOKEN", fake.token)
    with serving(fake) as url:
        assert submit(url)[0] == 0
        monkeypatch.delenv("KFP_TOKEN")
        status, output = submit(url)
    assert status == 1
    assert "401" in output


def test_a_bad_parameter_is_refused_before_anything_is_sent():
    status, output = submit("http://127.0.0.1:9", "--set", "train_epohcs=2")
    assert status == 1
    assert "epochs" in output


def test_a_server_that_is_not_there_is_named():
    status, output = submit("http://127.0.0.1:9")
    assert status == 1
    assert "http://127.0.0.1:9: cannot be reached" in output


@pytest.fixture
def running():
    """A client, and a server with one run that is under way."""
    fake = FakeKfp()
    fake.runs.append(V2beta1Run(run_id="run-1", display_name="a run"))
    with serving(fake) as url:
        yield Client(host=url), fake


def test_an_outage_of_the_server_does_not_end_the_watch(running):
    client, fake = running
    fake.outages = 3
    run = watch(client, "run-1", hours=0.01, say=print, poll_seconds=0.01)
    assert run.state == "SUCCEEDED"


@pytest.mark.parametrize("end", ["CANCELED", "FAILED", "SKIPPED"])
def test_every_end_but_success_is_a_failure(running, end):
    client, fake = running
    fake.steps = ["RUNNING", end]
    run = watch(client, "run-1", hours=0.01, say=print, poll_seconds=0.01)
    assert failures(run)[0].startswith(f"run {end}")


def test_a_run_that_does_not_end_in_time_is_named(running):
    client, fake = running
    fake.steps = ["RUNNING"]
    with pytest.raises(InputError, match="run-1: has not ended"):
        watch(client, "run-1", hours=0.00002, say=print, poll_seconds=0.01)


def test_the_shipped_recurring_run_is_read_whole():
    plan = read_schedule(RECURRING)
    body = yaml.safe_load(RECURRING.read_text())
    assert plan.cron == body["trigger"]["cron_schedule"]["cron"]
    assert plan.service_account == body["service_account"]


@pytest.mark.parametrize("text", ["[]", "display_name: x", "a: [", "trigger: 3"])
def test_a_recurring_run_that_lacks_something_is_refused(tmp_path, text):
    path = tmp_path / "recurring.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"recurring\.yaml"):
        read_schedule(path)
