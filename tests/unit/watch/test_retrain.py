"""A run that drift starts, against KFP's own client."""

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from components.artifacts.evaluation import read_evaluation
from components.artifacts.registry import Champion, keep_evaluation
from components.artifacts.task import Label, Task
from components.errors import InputError, WorkError
from components.generate.focus import read_focus
from components.watch.retrain import retrain
from components.watch.settings import WatchSettings
from pipelines.compile.compiler import compile_pipeline
from pipelines.parameters import DEFAULTS
from pipelines.submit.connection import connect
from pipelines.submit.submission import upload
from tests.evaluations import EVALUATION
from tests.fakes.kfp_api import FakeKfp, serving

CHAMPION = Champion("run-7", "gs://bucket/models/run-7", EVALUATION.model_version, {})
CONFUSION = ((3, 1, 0), (0, 2, 9), (0, 0, 4))
FINDINGS = SimpleNamespace(expected_confusion=CONFUSION)

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")


@pytest.fixture
def registry(tmp_path):
    folder = str(tmp_path / "registry")
    keep_evaluation(folder, CHAMPION.run_id, EVALUATION)
    champion = tmp_path / "registry" / "champion.json"
    champion.write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def in_service(monkeypatch):
    """The registry's champion, without a model folder."""
    monkeypatch.setattr("components.artifacts.registry.read_champion", lambda _: (CHAMPION, 1))


@pytest.fixture
def kfp(tmp_path):
    """A KFP with the pipeline, and its URL."""
    fake = FakeKfp()
    with serving(fake) as url:
        package = tmp_path / "emotion.yaml"
        options = {**DEFAULTS["generate_options"], "few_shot": 1}
        compile_pipeline(package, parameters={"generate_options": options})
        upload(connect(url, "", None), package)
        yield fake, url


def settings(registry, url):
    return WatchSettings(payloads="log", registry=registry, trigger=True, kfp_host=url)


def test_a_run_of_the_newest_version_is_aimed_at_what_is_confused(registry, kfp):
    fake, url = kfp
    assert retrain(settings(registry, url), CHAMPION, FINDINGS) == "run_id-1"
    (run,) = fake.runs
    options = run.runtime_config.parameters["generate_options"]
    focus = f"{registry}/drift/run-7.json"
    assert options == {"few_shot": 1, "judge": "same", "focus": focus}
    assert run.pipeline_version_reference.pipeline_version_id == "pipeline_version_id-1"
    assert run.service_account == "runner"
    labels = tuple(Label(name, name, (), ()) for name in EVALUATION.labels)
    aimed = read_focus(focus, Task("colour", "colours", labels, ()))
    assert aimed.validation.confusion_matrix == CONFUSION
    assert replace(aimed, validation=EVALUATION.validation) == EVALUATION


def test_the_account_is_that_of_the_token(registry, kfp, tmp_path):
    fake, url = kfp
    fake.token = tmp_path.name
    with pytest.raises(WorkError, match="401"):
        retrain(settings(registry, url), CHAMPION, FINDINGS)
    (tmp_path / "token").write_text(f"{tmp_path.name}\n")
    known = replace(settings(registry, url), kfp_token_file=str(tmp_path / "token"))
    assert retrain(known, CHAMPION, FINDINGS)


def test_it_runs_in_the_process_of_a_step():
    # There kfp leaves its client out.
    program = "import components.watch.run, components.watch.retrain"
    environment = {**os.environ, "_KFP_RUNTIME": "true"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_drift_of_the_same_model_starts_no_second_run(registry, kfp):
    fake, url = kfp
    retrain(settings(registry, url), CHAMPION, FINDINGS)
    assert retrain(settings(registry, url), CHAMPION, FINDINGS) == ""
    assert len(fake.runs) == 1
    keep_evaluation(registry, "run-8", EVALUATION)
    assert retrain(settings(registry, url), replace(CHAMPION, run_id="run-8"), FINDINGS)


def test_a_run_that_was_refused_is_tried_again(registry, kfp):
    fake, url = kfp
    fake.instead = ("no", 503)
    with pytest.raises(WorkError, match="503"):
        retrain(settings(registry, url), CHAMPION, FINDINGS)
    fake.instead = None
    assert retrain(settings(registry, url), CHAMPION, FINDINGS)


def test_a_kfp_without_the_pipeline_is_named(registry):
    with serving(FakeKfp()) as url, pytest.raises(InputError, match="has no version of the pipel"):
        retrain(settings(registry, url), CHAMPION, FINDINGS)


def test_a_champion_without_an_evaluation_is_nothing_to_aim_with(tmp_path, kfp):
    with pytest.raises(InputError, match="keeps no evaluation"):
        retrain(settings(str(tmp_path / "other"), kfp[1]), CHAMPION, FINDINGS)


@pytest.mark.parametrize(("given", "problem"), [({"registry": ""}, "registry"), ({}, "kfp_host")])
def test_a_trigger_needs_a_registry_and_a_host(given, problem):
    chosen = {"registry": "models", "model": "m", "reference": "r", **given}
    with pytest.raises(InputError, match=problem):
        WatchSettings(payloads="log", trigger=True, **chosen)


def test_what_was_written_is_an_evaluation(registry, kfp):
    retrain(settings(registry, kfp[1]), CHAMPION, FINDINGS)
    assert read_evaluation(f"{registry}/drift/run-7.json").labels == EVALUATION.labels
