"""The step with a real model, on what a real predictor has logged."""

import json

import httpx
import numpy as np
import pytest

from components.artifacts.model.classifier import Classifier
from components.artifacts.registry import Champion, replace_champion
from components.deploy.local import running_predictor
from components.errors import InputError
from components.serve.tensors import write_texts
from components.watch.findings import DRIFT, NO_DRIFT, TOO_FEW
from components.watch.run import watch
from components.watch.settings import WatchSettings
from tests.serve.asking import V1
from tests.traffic import other, similar, write_log, write_reference
from tests.waiting import wait_for

V2 = "/v2/models/emotion/infer"


@pytest.fixture(scope="module")
def classifier(model_folder):
    return Classifier(model_folder)


@pytest.fixture(scope="module")
def reference(model_folder, dataset_folder, tmp_path_factory):
    """As an evaluation holds it, of which tests/steps/evaluate has the whole."""
    path = tmp_path_factory.mktemp("reference") / "metrics.json"
    return write_reference(model_folder, dataset_folder, path)


@pytest.fixture(scope="module")
def texts(dataset_folder):
    return similar(dataset_folder)


@pytest.fixture(scope="module")
def logged(model_folder, texts, tmp_path_factory):
    """The log of a predictor that was asked in every way."""
    folder = tmp_path_factory.mktemp("log") / "pay loads"
    options = ["--payload-folder", str(folder), "--run-id", "run-7"]
    log = folder.parent / "predictor.log"
    with (
        running_predictor(model_folder, "emotion", log, options=options) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        for start in range(0, 200, 10):
            instances = {"instances": texts[start : start + 10]}
            client.post(V1, json=instances).raise_for_status()
        client.post(V1, json={"instances": texts[200:210], "top_k": 1}).raise_for_status()
        tensor = {"name": "text", "shape": [10], "datatype": "BYTES"}
        inputs = {"inputs": [{**tensor, "data": texts[210:220]}]}
        client.post(V2, json=inputs).raise_for_status()
        binary = write_texts(texts[220:230])
        size = {"parameters": {"binary_data_size": len(binary)}}
        asked = {"inputs": [{**tensor, **size}], "parameters": {"binary_data_output": True}}
        head = json.dumps(asked).encode()
        length = {"Inference-Header-Content-Length": str(len(head))}
        client.post(V2, content=head + binary, headers=length).raise_for_status()
        assert client.post(V1, json={"instances": [""]}).status_code == 400
        wait_for(lambda: lines(folder) == 2 * 24)
    return folder


def lines(folder):
    return sum(len(file.read_bytes().splitlines()) for file in folder.glob("*.jsonl"))


@pytest.fixture
def watched(model_folder, reference, tmp_path):
    """Watch a log; gives what was found, and the folder that was written."""

    def run(payloads, **settings):
        chosen = {"model": str(model_folder), "reference": str(reference), **settings}
        out = tmp_path / "out"
        names = (out / name for name in ("findings.json", "report.html", "labelling"))
        return watch(WatchSettings(payloads=str(payloads), **chosen), *names), out

    return run


def test_what_a_predictor_logs_is_read_whatever_the_protocol(watched, logged, texts, classifier):
    found, _ = watched(logged)
    assert (found.verdict, found.drifted) == (NO_DRIFT, ())
    assert (found.requests_read, found.requests, found.refused) == (24, 23, 1)
    # Of those with `top_k`, and of binary tensors, the answer does not tell all probabilities.
    assert (found.texts, found.classified) == (230, 20)
    assert found.problems == {}
    probabilities = classifier.probabilities(texts[:230])
    expected = np.bincount(probabilities.argmax(axis=1), minlength=6)
    assert list(found.profile.labels.values()) == expected.tolist()
    assert found.expected_accuracy == pytest.approx(probabilities.max(axis=1).mean(), abs=1e-5)


def test_texts_of_another_domain_are_drift(watched, tmp_path):
    found, out = watched(write_log(tmp_path / "log", other()), min_texts=50)
    assert found.verdict == DRIFT
    assert "words" in found.drifted
    page = (out / "report.html").read_text()
    assert f"Drift in {len(found.drifted)} of {len(found.shifts)} measures" in page
    written = json.loads((out / "findings.json").read_text())
    assert written["drifted"] == list(found.drifted)
    assert sum(map(sum, written["expected_confusion"])) == pytest.approx(found.texts, abs=18)
    assert found.figures()["drift"] == 1


def test_the_report_and_the_findings_hold_no_text(watched, tmp_path):
    _, out = watched(write_log(tmp_path / "log", other()), min_texts=50)
    for name in ("report.html", "findings.json"):
        content = (out / name).read_text()
        assert not [text for text in other() if text in content]
    assert list((out / "labelling").iterdir()) == []


def test_few_texts_get_no_verdict(watched, tmp_path):
    found, out = watched(write_log(tmp_path / "log", other()[:20]))
    assert found.verdict == TOO_FEW
    assert "Too few texts" in (out / "report.html").read_text()


def test_a_log_without_a_usable_request_gets_a_report_too(watched, tmp_path):
    found, out = watched(write_log(tmp_path / "log", [""]))
    assert (found.verdict, found.texts, found.shifts) == (TOO_FEW, 0, ())
    assert sum(found.problems.values()) == 1
    assert "a.jsonl, record 1" in (out / "report.html").read_text()


def test_the_least_sure_texts_are_tasks_without_personal_data(watched, classifier, tmp_path):
    unsure = "Write to jane@nowhere.invalid about the thing."
    log = write_log(tmp_path / "log", [*other(), unsure, unsure.upper()])
    _, out = watched(log, label_tasks=1000)
    tasks = json.loads((out / "labelling" / "tasks.json").read_text())
    texts = [each["data"]["text"] for each in tasks]
    scores = [each["predictions"][0]["score"] for each in tasks]
    assert scores == sorted(scores)
    assert len(tasks) == len(other()) + 1  # none twice
    assert [text for text in texts if "<EMAIL_ADDRESS>" in text]
    assert "jane@" not in "".join(texts).lower()
    (choice,) = {len(each["predictions"][0]["result"][0]["value"]["choices"]) for each in tasks}
    assert choice == 1
    config = (out / "labelling" / "config.xml").read_text()
    assert all(f'<Choice value="{name}"/>' in config for name in classifier.labels)


def test_what_a_watch_found_is_the_reference_of_a_later_one(watched, tmp_path):
    log = write_log(tmp_path / "log", other())
    _, out = watched(log, min_texts=50)
    earlier = (out / "findings.json").rename(tmp_path / "earlier.json")
    assert watched(log, min_texts=50, reference=str(earlier))[0].verdict == NO_DRIFT


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{}", "holds no profile"),
        ("[", "is neither an evaluation nor"),
        ('{"profile": {"rows": "x"}}', "is neither an evaluation nor"),
        (None, "is of another model"),
    ],
)
def test_a_reference_that_is_none_is_refused(watched, reference, tmp_path, content, problem):
    known = json.loads(reference.read_text())
    path = tmp_path / "other.json"
    path.write_text(json.dumps({**known, "model_version": "other"}) if content is None else content)
    with pytest.raises(InputError, match=problem):
        watched(write_log(tmp_path / "log", ["x"]), reference=str(path))


def test_without_a_registry_or_a_model_nothing_is_watched():
    with pytest.raises(InputError, match="no model is watched"):
        WatchSettings(payloads="log", model="model")


def test_a_registry_without_a_champion_is_refused(tmp_path):
    settings = WatchSettings(payloads=str(tmp_path), registry=str(tmp_path / "registry"))
    names = (tmp_path / name for name in "abc")
    with pytest.raises(InputError, match="has no champion"):
        watch(settings, *names)


def test_the_model_in_service_is_the_one_of_the_registry(
    watched, model_folder, classifier, tmp_path
):
    registry = str(tmp_path / "registry")
    champion = Champion("run-7", str(model_folder), classifier.version, {})
    assert replace_champion(registry, champion, 0)
    log = write_log(tmp_path / "log", other())
    settings = {"registry": registry, "model": "", "min_texts": 50}
    assert watched(log, **settings)[0].model_version == classifier.version
    with pytest.raises(InputError, match="holds no profile"):
        watched(log, **settings, reference="")
