import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from components import storage
from components.artifacts.dataset import (
    SPLITS,
    TEST,
    read_description,
    read_frame,
    read_split,
    split_file,
    write_dataset,
)
from components.artifacts.evaluation import METRICS, read_evaluation
from components.artifacts.evaluation.comparison import (
    CHAMPION,
    EQUAL,
    MAJORITY,
    OUT_OF_DOMAIN,
    REAL_ONLY,
    TFIDF,
)
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.model.history import read_history
from components.artifacts.publishing import publish_model, serving_uri
from components.artifacts.registry import Champion, replace_champion
from components.artifacts.task import load_task
from components.errors import InputError
from components.evaluate.run import evaluate
from components.evaluate.settings import EvaluateSettings
from tests.keys import new_signer

SETTINGS = EvaluateSettings(bootstrap_samples=200, out_of_domain="")
LABELS = load_task("emotion").names
FILES = (METRICS, "report.html", "model_card.md")


@pytest.fixture(scope="module")
def dataset(dataset_folder, tmp_path_factory):
    """Ten rows of each label per split."""
    splits = {name: read_frame(dataset_folder, name, LABELS) for name in SPLITS}
    small = {name: rows.groupby("label").head(10) for name, rows in splits.items()}
    folder = tmp_path_factory.mktemp("small") / "dataset"
    write_dataset(small, read_description(dataset_folder), folder)
    return folder


@pytest.fixture(scope="module")
def biased_model(model_folder, tmp_path_factory):
    """The same model with a strong bias to one label: a classifier of its own, without training."""
    folder = shutil.copytree(model_folder, tmp_path_factory.mktemp("biased") / "model")
    network = onnx.load(folder / bundle.ONNX["fp32"])
    (bias,) = (each for each in network.graph.initializer if list(each.dims) == [len(LABELS)])
    shifted = numpy_helper.to_array(bias) + 3 * np.eye(len(LABELS), dtype=np.float32)[0]
    bias.CopyFrom(numpy_helper.from_array(shifted, bias.name))
    onnx.save(network, folder / bundle.ONNX["int8"])
    bundle.write_manifest(folder, {})
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Labelled texts that the data set does not hold."""
    path = tmp_path_factory.mktemp("elsewhere") / "texts.csv"
    with path.open("w", newline="") as file:
        rows = [(f"Row {n}, the dog barked.", ("joy", "fear")[n % 2]) for n in range(60)]
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


@pytest.fixture(scope="module")
def evaluated(model_folder, biased_model, dataset, elsewhere, tmp_path_factory):
    """An evaluation with ablation, out-of-domain text, and the model itself as champion."""
    registry, output = (tmp_path_factory.mktemp(name) for name in ("registry", "evaluate"))
    version = storage.sha256(model_folder / bundle.MANIFEST)
    publish_model(model_folder, f"{registry}/run-1")
    champion = Champion("run-1", serving_uri(f"{registry}/run-1"), version, {})
    replace_champion(str(registry), champion, 0)
    settings = replace(SETTINGS, registry=str(registry), out_of_domain=str(elsewhere))
    return run(settings, model_folder, dataset, output, real_only=biased_model), output


def run(settings, model, dataset, folder, **more):
    return evaluate(settings, model, dataset, *(folder / name for name in FILES), **more)


def test_the_scores_are_those_of_the_served_model_on_the_test_split(
    evaluated, model_folder, dataset
):
    evaluation, _ = evaluated
    split = read_split(dataset, TEST, LABELS)
    for precision, scores in (("int8", evaluation.test), ("fp32", evaluation.test_fp32)):
        classifier = Classifier(model_folder, precision=precision)
        right = classifier.probabilities(split.texts).argmax(axis=1) == split.labels
        assert scores.rows == len(right)
        assert scores.accuracy == pytest.approx(right.mean())


def test_the_score_of_torch_is_that_of_the_epoch_whose_weights_were_kept(evaluated, model_folder):
    evaluation, _ = evaluated

    assert evaluation.torch_validation == read_history(model_folder).best


def test_the_model_is_compared_with_every_other_on_the_same_rows(evaluated):
    evaluation, _ = evaluated
    rows = evaluation.test.rows
    assert {(each.other, each.split, each.rows) for each in evaluation.comparisons} == {
        (MAJORITY, TEST, rows),
        (TFIDF, TEST, rows),
        (REAL_ONLY, TEST, rows),
        (CHAMPION, TEST, rows),
        (REAL_ONLY, OUT_OF_DOMAIN, 60),
    }
    others = {
        **evaluation.baselines,
        REAL_ONLY: evaluation.real_only,
        CHAMPION: evaluation.champion.scores,
    }
    for comparison in (each for each in evaluation.comparisons if each.split == TEST):
        other = others[comparison.other]
        assert comparison.macro_f1.value == pytest.approx(evaluation.test.macro_f1 - other.macro_f1)
        assert comparison.accuracy.value == pytest.approx(evaluation.test.accuracy - other.accuracy)
    assert evaluation.real_only.accuracy < evaluation.test.accuracy


def test_a_champion_is_not_better_than_itself(evaluated):
    evaluation, _ = evaluated
    (comparison,) = (each for each in evaluation.comparisons if each.other == CHAMPION)

    assert comparison.outcome == EQUAL
    assert evaluation.champion.scores == evaluation.test
    assert evaluation.champion.run_id == "run-1"
    assert evaluation.champion_generation > 0
    assert evaluation.champion.version == evaluation.model_version


def test_the_file_names_model_and_data_and_restores_the_evaluation(
    evaluated, model_folder, dataset
):
    evaluation, output = evaluated
    content = json.loads((output / METRICS).read_text("utf-8"))

    assert read_evaluation(output / METRICS) == evaluation
    assert content["model_version"] == storage.sha256(model_folder / bundle.MANIFEST)
    assert content["rows"] == read_description(dataset).rows
    assert list(content["per_label"]) == content["labels"] == list(LABELS)


def test_the_profile_counts_what_the_served_model_sees_in_the_test_split(
    evaluated, model_folder, dataset
):
    evaluation, _ = evaluated
    texts = read_split(dataset, TEST, LABELS).texts
    probabilities = Classifier(model_folder).probabilities(texts)
    profile = evaluation.profile
    assert profile.rows == len(texts)
    assert list(profile.labels) == list(LABELS)
    predicted = np.bincount(probabilities.argmax(axis=1), minlength=len(LABELS))
    assert list(profile.labels.values()) == predicted.tolist()
    assert {sum(each.counts) for each in profile.measures.values()} == {len(texts)}
    confidence = np.median(probabilities.max(axis=1))
    assert profile.measures["confidence"].median == pytest.approx(confidence, abs=1e-5)
    assert profile.measures["words"].median == np.median([len(text.split()) for text in texts])
    assert profile.measures["tokens per word"].median >= 1


def test_mistakes_are_explained_by_their_own_words(evaluated):
    evaluation, _ = evaluated

    assert evaluation.mistakes
    for mistake in evaluation.mistakes:
        assert [each.word for each in mistake.words] == mistake.text.split()
        assert any(each.weight for each in mistake.words)


def test_every_text_is_changed_for_robustness(evaluated):
    evaluation, _ = evaluated
    changes = {each.name: each for each in evaluation.robustness}

    assert changes["a neutral emoji added"].rows == evaluation.test.rows
    assert 0 <= changes["typos"].accuracy <= 1


def test_the_report_and_the_card_show_the_scores(evaluated):
    evaluation, output = evaluated

    accuracy = f"{100 * evaluation.test.accuracy:.1f}"
    assert all(accuracy in (output / name).read_text("utf-8") for name in FILES[1:])
    assert {each.name for each in output.iterdir()} == set(FILES)


def test_the_step_runs_from_a_shell_without_ablation_champion_and_other_texts(
    model_folder, dataset, tmp_path
):
    registry = tmp_path / "registry"
    command = [sys.executable, "-m", "components.evaluate", "--model", model_folder]
    command += ["--dataset", dataset, "--output", tmp_path / "output"]
    command += ["--set", f"bootstrap_samples=200 out_of_domain='' registry={registry}"]

    subprocess.run(command, check=True)

    evaluation = read_evaluation(tmp_path / "output" / METRICS)
    assert evaluation.out_of_domain is evaluation.real_only is evaluation.champion is None
    assert {each.other for each in evaluation.comparisons} == {MAJORITY, TFIDF}
    assert (tmp_path / "output" / "report.html").is_file()


def test_a_wrong_gate_ends_the_command_with_one_line(tmp_path):
    command = [sys.executable, "-m", "components.evaluate", "--model", tmp_path]
    command += ["--dataset", tmp_path, "--output", tmp_path, "--set", "gate=none"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 1
    (reason,) = done.stderr.splitlines()
    assert reason.startswith("evaluate: gate file 'none': is not known")


def test_a_champion_of_other_labels_fails_the_gate_with_a_reason(model_folder, dataset, tmp_path):
    other = shutil.copytree(model_folder, tmp_path / "other")
    labels = bundle.read_labels(other)
    bundle.write_labels(other, replace(labels, names=labels.names[::-1]))
    bundle.write_manifest(other, {})
    champion = Champion("run-9", str(other), storage.sha256(other / bundle.MANIFEST), {})
    replace_champion(str(tmp_path / "registry"), champion, 0)
    settings = replace(SETTINGS, registry=str(tmp_path / "registry"))

    evaluation = run(settings, model_folder, dataset, tmp_path)

    (rule,) = (each for each in evaluation.verdict.rules if each.name == "champion")
    assert not rule.passed
    assert "run-9" in rule.sentence
    assert evaluation.champion.scores is None


def test_a_champion_that_was_tampered_with_is_refused(model_folder, dataset, tmp_path):
    registry = str(tmp_path / "registry")
    replace_champion(registry, Champion("run-9", str(model_folder), "0" * 64, {}), 0)

    with pytest.raises(InputError, match="was released"):
        run(replace(SETTINGS, registry=registry), model_folder, dataset, tmp_path)


def test_a_champion_that_is_not_signed_as_demanded_is_refused(model_folder, dataset, tmp_path):
    registry = str(tmp_path / "registry")
    version = storage.sha256(model_folder / bundle.MANIFEST)
    replace_champion(registry, Champion("run-9", str(model_folder), version, {}), 0)
    settings = replace(
        SETTINGS, registry=registry, public_key=new_signer(tmp_path).trust().public_key
    )

    with pytest.raises(InputError, match=r"model\.sig: is missing, but only signed models"):
        run(settings, model_folder, dataset, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("bootstrap_samples", 10), ("registry", "ftp://bucket/models")],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        EvaluateSettings(**{name: value})


def test_a_data_set_of_another_task_is_refused(dataset, tmp_path):
    with pytest.raises(InputError, match=r"^data set .* has the labels"):
        run(replace(SETTINGS, task=mood(tmp_path)), tmp_path, dataset, tmp_path)
    assert not (tmp_path / METRICS).exists()


def test_a_model_of_another_task_is_refused(model_folder, dataset, tmp_path):
    """The data set is of the task, the model is not."""
    labels = ("sadness", "joy", "love")
    frames = {name: read_frame(dataset, name, LABELS) for name in SPLITS}
    fewer = {name: rows[rows["label"] < len(labels)] for name, rows in frames.items()}
    description = replace(read_description(dataset), labels=labels)
    write_dataset(fewer, description, tmp_path / "dataset")
    settings = replace(SETTINGS, task=mood(tmp_path))

    with pytest.raises(InputError, match=r"^model .* has the labels"):
        run(settings, model_folder, tmp_path / "dataset", tmp_path)


def test_a_missing_split_is_named(model_folder, dataset, tmp_path):
    incomplete = shutil.copytree(dataset, tmp_path / "dataset")
    split_file(incomplete, TEST).unlink()

    with pytest.raises(InputError, match=r"test\.parquet: there is no such file"):
        run(SETTINGS, model_folder, incomplete, tmp_path)


def test_a_test_split_of_one_row_is_refused(model_folder, dataset, tmp_path):
    frames = {name: read_frame(dataset, name, LABELS) for name in SPLITS}
    few = {**frames, TEST: frames[TEST].head(1)}
    write_dataset(few, read_description(dataset), tmp_path / "dataset")

    with pytest.raises(InputError, match=r"test\.parquet: has one row, .* at least 2"):
        run(SETTINGS, model_folder, tmp_path / "dataset", tmp_path)


def test_a_model_that_answers_with_no_numbers_is_refused(biased_model, dataset, tmp_path):
    broken = shutil.copytree(biased_model, tmp_path / "broken")
    network = onnx.load(broken / bundle.ONNX["int8"])
    (bias,) = (each for each in network.graph.initializer if list(each.dims) == [len(LABELS)])
    nothing = np.full(len(LABELS), np.nan, dtype=np.float32)
    bias.CopyFrom(numpy_helper.from_array(nothing, bias.name))
    onnx.save(network, broken / bundle.ONNX["int8"])
    bundle.write_manifest(broken, {})

    with pytest.raises(InputError, match=r"gives probabilities that are no numbers \(test\)"):
        run(SETTINGS, broken, dataset, tmp_path)


def test_evaluate_needs_no_torch():
    code = "import sys, components.evaluate.run; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def mood(folder: Path) -> str:
    """A task of three labels."""
    labels = "".join(
        f"  - {{name: {name}, description: {name}}}\n" for name in ("sadness", "joy", "love")
    )
    path = folder / "mood.yaml"
    path.write_text(f"name: mood\ndescription: the mood of a text\nlabels:\n{labels}")
    return str(path)
