"""`make submit`: the pipeline uploaded, run and scheduled, against KFP's own client."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp import Client
from kfp_server_api import V2beta1Run

from components import storage
from components.errors import InputError
from pipelines.compile.compiler import COMPILED
from pipelines.submit.__main__ import main
from pipelines.submit.submission import read_schedule, upload
from tests.fakes.argo_run import ERROR, STEP_LOG, ArgoRun
from tests.fakes.kfp_api import FakeKfp, serving

ROOT = Path(__file__).parents[2]
RECURRING = ROOT / "manifests" / "base" / "recurring-run.yaml"
GKE = "manifests/overlays/gke/compile-settings.yaml"

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


def submit(url, *options, params="pipelines/params/smoke.yaml"):
    """The command behind `make submit`, with the smoke set; gives status and output."""
    words = ["--host", url, *(("--params", params) if params else ())]
    words += ["--poll-seconds", "0.01", *options]
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            main(words, standalone_mode=False)
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


def test_a_run_is_watched_to_its_end(twice):
    _, _, ended, _ = twice
    (status, output), (again, _) = ended
    assert (status, again) == (0, 0), output
    told = [line for line in output.splitlines() if line.startswith("train")]
    assert told == ["train: pending", "train: running", "train: succeeded"]


def test_a_host_without_pages_gets_no_link(twice):
    fake, _, ended, _ = twice
    assert f"run {fake.runs[0].run_id}\n" in ended[0][1]
    assert "/#/" not in ended[0][1]


@pytest.mark.parametrize(
    ("page", "options"), [("<p>UI</p>", ()), ("", ("--ui", "https://kubeflow.example/pipeline/"))]
)
def test_a_link_points_at_the_ui(page, options):
    fake = FakeKfp()
    fake.page = page
    with serving(fake) as url:
        status, output = submit(url, *options)
    assert status == 0, output
    ui = options[1].rstrip("/") if options else url
    assert f"run {fake.runs[0].run_id}: {ui}/#/runs/details/{fake.runs[0].run_id}\n" in output


def test_the_same_content_is_uploaded_once():
    fake = FakeKfp()
    with serving(fake) as url:
        for _ in range(2):
            fake.looks = 0
            assert submit(url, "--set", "train_epochs=2")[0] == 0
    assert (len(fake.pipelines), len(fake.versions), len(fake.experiments)) == (1, 1, 1)
    assert len(fake.runs) == 2


def test_comments_and_order_which_differ_from_time_to_time_make_no_other_version(tmp_path):
    text = COMPILED.read_text()
    spec, platform = yaml.safe_load_all(text)
    other = tmp_path / "other.yaml"
    turned = dict(reversed(spec.items()))
    other.write_text("# another\n" + yaml.safe_dump_all([turned, platform], sort_keys=False))
    fake = FakeKfp()
    with serving(fake) as url:
        versions = [upload(Client(host=url), package) for package in (COMPILED, other)]
    assert versions[0].pipeline_version_id == versions[1].pipeline_version_id


def test_whoever_starts_the_version_in_the_ui_gets_the_same_run(twice):
    fake, *_ = twice
    for run in fake.runs:
        version = run.pipeline_version_reference.pipeline_version_id
        inputs = fake.specs[version].pipeline_spec.root.input_definitions.parameters
        defaults = {
            name: json_format.MessageToDict(each.default_value) for name, each in inputs.items()
        }
        assert defaults == run.runtime_config.parameters


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
    fake = FakeKfp(["RUNNING", "FAILED"])
    fake.argo = ArgoRun()
    fake.argo.step("train", "Failed", STEP_LOG, message=ERROR)
    with serving(fake) as url:
        ended = subprocess.run(
            [*command, url], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
    assert ended.returncode == 1
    assert "train failed: train_epochs=0: must be at least 1." in ended.stderr
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
    for component in fake.specs.values():
        tasks = component.pipeline_spec.root.dag.tasks
        assert not any(task.caching_options.enable_cache for task in tasks.values())


def test_a_schedule_with_a_run_under_way_is_switched_off_and_keeps_its_run():
    fake = FakeKfp()
    with serving(fake) as url:
        assert submit(url, "--schedule")[0] == 0
        fake.runs.append(V2beta1Run(recurring_run_id="recurring_run_id-1", state="RUNNING"))
        assert submit(url, "--schedule", "0 30 4 * * 2")[0] == 0
    assert [each.mode for each in fake.recurring] == ["DISABLE", "ENABLE"]


def test_of_a_run_whose_gate_was_not_passed_it_is_said_that_nothing_was_deployed():
    fake = FakeKfp()
    fake.argo = ArgoRun()
    fake.argo.step("evaluate", boundaryID=fake.argo.scope("Succeeded"))
    with serving(fake) as url:
        status, output = submit(url)
    assert status == 0, output
    assert output.endswith("the gate was not passed, so nothing was deployed\n")


@pytest.mark.parametrize("token", ["a-\nsecret", "a-secr\u00e9t", "a-\x1bsecret"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(monkeypatch, token):
    monkeypatch.setenv("KFP_TOKEN", token)
    with serving(FakeKfp()) as url:
        status, output = submit(url)
    assert status == 1
    assert "KFP_TOKEN: holds a line break, or another character that no token has." in output
    assert "secr" not in output


def test_the_token_comes_from_the_environment(monkeypatch):
    fake = FakeKfp()
    fake.token = "a-token"  # noqa: S105
    with serving(fake) as url:
        for token in (fake.token, f"{fake.token}\n"):
            monkeypatch.setenv("KFP_TOKEN", token)
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


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            ("<p>Log in</p>", 200),
            "is not Kubeflow Pipelines to this account: it answers with a page",
        ),
        (
            ("<p>Log in</p>", 200),
            "and not as the API does: '<p>Log in</p>'. Check the URL",
        ),
        (("", 200), "it answers with a page"),
        (("[]", 200), "it answers with a page"),
        (("null", 200), "it answers with a page"),
        ((b"<p>Bitte anmelden f\xfcr</p>", 200), "it answers with a page"),
        (("{}", 200), "the answer has no pipeline_id"),
        (('{"pipelines": 3}', 200), "answers '{\"pipelines\": 3}', which is no V2beta1List"),
        (('{"pipelines": [{}]}', 200), "the answer has no pipeline_id"),
        (('{"pipelines": [7]}', 200), "the answer has no pipeline_id"),
        (("", 302, {"Location": "/"}), "it answers with a page"),
        (("", 401), "answers 401 UNAUTHORIZED. Put a token into KFP_TOKEN"),
        (("", 403), "answers 403 FORBIDDEN. Put a token into KFP_TOKEN"),
        (("<p>None</p>", 404), "answers 404 NOT FOUND. Check that the URL"),
        (('{"message": "no\\ndisk"}', 500), "answers 500 INTERNAL SERVER ERROR: no disk. Look at"),
        (("", 503), "answers 503 SERVICE UNAVAILABLE. Look at"),
    ],
)
def test_what_does_not_answer_as_kubeflow_pipelines_is_said_at_once(answer, said):
    fake = FakeKfp()
    fake.page, fake.instead = "<p>Log in</p>", answer
    with serving(fake) as url:
        status, output = submit(url, "--upload-only")
    assert (status, output.count("\n")) == (1, 0)
    assert output.startswith(f"submit: {url}: ")
    assert said in output


@pytest.mark.parametrize("answer", ["{}", '{"run": {}}', '{"state": "RUNNING"}'])
def test_an_answer_that_is_no_run_ends_the_watch(monkeypatch, answer):
    fake = FakeKfp(["RUNNING"])
    looked = fake.get_run

    def get_run(run_id):
        fake.instead = (answer, 200)
        return looked(run_id)

    monkeypatch.setattr(fake, "get_run", get_run)
    with serving(fake) as url:
        status, output = submit(url)
    assert status == 1
    assert f"{url}: is not Kubeflow Pipelines to this account: the answer has no run_id" in output


def test_the_scheme_of_the_host_may_be_in_upper_case():
    fake = FakeKfp()
    with serving(fake) as url:
        status, output = submit(url.replace("http:", "HTTP:"), "--upload-only")
    assert status == 0, output
    assert len(fake.versions) == 1


def test_a_login_that_ends_while_a_run_is_watched_ends_the_watch(monkeypatch):
    fake = FakeKfp(["RUNNING"])
    looked = fake.get_run

    def get_run(run_id):
        fake.instead = ("<p>Log in</p>", 200)
        return looked(run_id)

    monkeypatch.setattr(fake, "get_run", get_run)
    with serving(fake) as url:
        status, output = submit(url)
    assert status == 1
    assert output.endswith("Put a token into KFP_TOKEN, or forward the port of the API.")


def test_without_host_and_kubeconfig_the_host_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none")
    )
    status, output = submit("", "--upload-only")
    assert status == 1
    assert output.startswith("submit: HOST: is not given, and no kubeconfig names a cluster. Give")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "localhost:8888"], "HOST 'localhost:8888': is not a URL"),
        (["--host", "http://[x"], "http://[x: cannot be reached"),
        (["--host", "http://localhost"], "http://localhost: cannot be reached"),
        (["--schedule", "0 3 * * 1"], "must have six fields, not 5"),
        (["--hours", "nan"], "--hours=nan: must be between"),
        (["--poll-seconds", "-1"], "--poll-seconds=-1.0: must be between"),
        (["--namespace", "a/b"], "namespace='a/b': must be up to 63"),
        (["--experiment", " "], "--experiment: is empty"),
    ],
)
def test_an_option_that_means_nothing_is_refused(options, said):
    status, output = submit("http://127.0.0.1:9", *options)
    assert status == 1
    assert said in output


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
