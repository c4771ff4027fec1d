"""The step with a real model: every text gets what the classifier itself says of it."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from components import storage
from components.artifacts.model.classifier import Classifier
from components.artifacts.publishing import publish_model, serving_uri
from components.artifacts.registry import Champion, replace_champion
from components.errors import InputError, WorkError
from components.predict.run import plan, predict, report
from components.predict.settings import PredictSettings
from tests.keys import new_signer
from tests.pages import Page

ODD = ["", None, "x" * 10_001]
"""Texts that get no label."""


@pytest.fixture(scope="module")
def classifier(model_folder):
    return Classifier(model_folder)


@pytest.fixture(scope="module")
def texts(dataset_folder):
    rows = pd.read_parquet(dataset_folder / "test.parquet")["text"].tolist()[:60]
    return [*rows[:30], *ODD, *rows[30:], "So\nhappy \U0001f600!", rows[0]]


@pytest.fixture(scope="module")
def expected(classifier, texts):
    """What the classifier says, of each text alone; NaN where there is nothing to say."""
    found = np.full((len(texts), len(classifier.labels)), np.nan, dtype=np.float32)
    for row, text in enumerate(texts):
        if text and len(text) <= 10_000:
            found[row] = classifier.probabilities([text])[0]
    return found


def write_parquet(path, texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table({"id": pa.array(range(len(texts))), "text": texts}), path)
    return path


def settings_of(**given):
    """Settings, in which paths may stand for texts."""
    return PredictSettings(
        **{name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    )


def finished(tmp_path, shards=1, **given):
    """Plan, predict and report, as the pipeline does."""
    settings = settings_of(**given)
    count = plan(settings).shards(shards)
    for shard in range(count):
        predict(settings, shard, count)
    return report(settings, tmp_path / "manifest.json", tmp_path / "page.html")


def words_of(page):
    return Page(page.read_text()).words


@pytest.mark.parametrize("shards", [1, 3])
def test_rows_come_back_with_what_the_classifier_says(
    model_folder, texts, expected, classifier, folder_uri, tmp_path, shards
):
    write_parquet(tmp_path / "in" / "sub" / "rows.parquet", texts)
    place, output = f"{folder_uri}/in", f"{folder_uri}/out"
    storage.upload(storage.open_store(place), tmp_path / "in", ["sub/rows.parquet"])
    result = finished(
        tmp_path, shards, input=place, output=output, model=model_folder, part_rows=20
    )
    local = storage.fetch(output, tmp_path / "back")
    written = pd.read_parquet(local / "sub" / "rows.parquet")
    assert written["id"].tolist() == list(range(len(texts)))
    assert written["text"].where(written["text"].notna(), None).tolist() == texts
    shares = written[[f"probability_{each}" for each in classifier.labels]].to_numpy()
    assert np.array_equal(shares, expected, equal_nan=True)
    known = ~np.isnan(expected).any(axis=1)
    winners = [classifier.labels[each] for each in expected[known].argmax(axis=1)]
    assert written["label"][known].tolist() == winners
    assert np.array_equal(written["probability"][known], expected[known].max(axis=1))
    assert written["no_label"][~known].tolist() == ["empty", "empty", "too long"]
    assert written["no_label"][known].isna().all()
    manifest = json.loads((local / "predictions.json").read_text())
    assert manifest == json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["rows"] == result.figures()["rows"] == len(texts)
    assert manifest["no_label"] == {"empty": 2, "too long": 1}
    assert manifest["model"]["sha256"] == classifier.version
    counts = {name: each["rows"] for name, each in manifest["labels"].items()}
    assert counts == {each: winners.count(each) for each in classifier.labels}
    for part in manifest["parts"]:
        assert storage.sha256(local / part["name"]) == part["sha256"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl.gz", "rows.ndjson"])
def test_other_kinds_of_files_get_the_same(model_folder, texts, expected, tmp_path, name):
    frame = pd.DataFrame({"id": range(len(texts)), "said": texts})
    if "json" in name:
        frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        frame.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
    given = {"text_column": "said", "part_rows": 25, "model": model_folder}
    finished(tmp_path, input=tmp_path / name, output=tmp_path / "out", **given)
    parts = sorted((tmp_path / "out" / name).iterdir())
    assert [part.name[:10] for part in parts] == ["part-00000", "part-00001", "part-00002"]
    if "json" in name:
        written = pd.concat(pd.read_json(part, lines=True) for part in parts)
    else:
        separator = "\t" if "tsv" in name else ","
        written = pd.concat(pd.read_csv(part, sep=separator) for part in parts)
    assert written["id"].tolist() == frame["id"].tolist()
    shares = written.filter(regex="^probability_").to_numpy(dtype=float)
    assert np.allclose(shares, expected, atol=1e-6, equal_nan=True)


@pytest.fixture
def registry(model_folder, tmp_path):
    """A registry with a signed champion, and the public key."""
    signer = new_signer(tmp_path)
    place = str(tmp_path / "registry")
    signature = publish_model(model_folder, f"{place}/run-7", signer)
    sha256 = storage.sha256(model_folder / "manifest.json")
    champion = Champion("run-7", serving_uri(f"{place}/run-7"), sha256, {}, signature)
    replace_champion(place, champion, 0)
    return place, signer.trust().public_key


def test_the_champion_of_a_registry_scores_if_it_is_signed(registry, tmp_path):
    place, key = registry
    rows = write_parquet(tmp_path / "rows.parquet", ["I am so happy"])
    given = {"input": rows, "registry": place}
    result = finished(tmp_path, output=tmp_path / "out", public_key=key, **given)
    assert result.plan.model.run_id == "run-7"
    assert "of run run-7" in words_of(tmp_path / "page.html")
    (tmp_path / "other").mkdir()
    other = new_signer(tmp_path / "other").trust().public_key
    with pytest.raises(InputError, match="does not vouch"):
        plan(PredictSettings(str(rows), str(tmp_path / "o"), registry=place, public_key=other))


def test_a_registry_without_a_champion_is_refused(tmp_path):
    rows = write_parquet(tmp_path / "rows.parquet", ["a"])
    with pytest.raises(InputError, match="has no champion"):
        plan(PredictSettings(str(rows), str(tmp_path / "out"), registry=str(tmp_path / "none")))


def test_all_problems_are_told_at_once_and_nothing_is_written(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("sentence\nx\n")
    (folder / "b.csv").write_text('text\n"x\n')
    (tmp_path / "file").write_text("")
    settings = PredictSettings(str(folder), str(tmp_path / "file" / "out"), model="none")
    with pytest.raises(InputError, match=r"predict found 4 problems: \(1\) none") as refused:
        plan(settings)
    for said in ("file/out", "a.csv: has no column 'text'", "b.csv, line 2: has a quote"):
        assert said in str(refused.value)


def test_files_without_rows_are_refused(model_folder, tmp_path):
    (tmp_path / "rows.csv").write_text("text\n")
    settings = PredictSettings(
        str(tmp_path / "rows.csv"), str(tmp_path / "out"), model=str(model_folder)
    )
    with pytest.raises(InputError, match="holds no rows"):
        plan(settings)


def test_a_rerun_does_only_what_is_missing(model_folder, texts, tmp_path):
    rows = write_parquet(tmp_path / "rows.parquet", texts)
    given = {"input": rows, "output": tmp_path / "out", "model": model_folder, "part_rows": 20}
    finished(tmp_path, **given)
    parts = sorted((tmp_path / "out" / "rows.parquet").iterdir())
    before = [part.stat().st_mtime_ns for part in parts]
    content = [part.read_bytes() for part in parts]
    # A record without its part, a part without its record, and a part that was cut off.
    parts[0].unlink()
    (tmp_path / "out" / "_records" / "rows.parquet" / "part-00001.parquet.json").unlink()
    parts[3].write_bytes(b"PAR1")
    with pytest.raises(WorkError, match=r"lacks 3 of 4 parts, first rows.parquet/part-00000"):
        report(settings_of(**given), tmp_path / "manifest.json", tmp_path / "page.html")
    finished(tmp_path, **given)
    assert [part.read_bytes() for part in parts] == content
    after = [part.stat().st_mtime_ns for part in parts]
    kept = [old == new for old, new in zip(before, after, strict=True)]
    assert kept == [False, False, True, False]


def test_the_time_of_a_part_is_that_of_its_inference_too(
    model_folder, texts, tmp_path, monkeypatch
):
    infer = Classifier.infer

    def slow(*arguments):
        time.sleep(0.3)
        return infer(*arguments)

    monkeypatch.setattr(Classifier, "infer", slow)
    source = write_parquet(tmp_path / "in" / "a.parquet", texts)
    settings = settings_of(input=source, output=tmp_path / "out", model=model_folder)
    plan(settings)
    predict(settings)
    assert report(settings, tmp_path / "m.json", tmp_path / "r.html").seconds >= 0.3


def test_input_or_model_that_changes_after_the_plan_is_refused(model_folder, tmp_path):
    rows = write_parquet(tmp_path / "rows.parquet", ["a"])
    model = shutil.copytree(model_folder, tmp_path / "model")
    settings = PredictSettings(str(rows), str(tmp_path / "out"), model=str(model))
    plan(settings)
    write_parquet(rows, ["b"])
    with pytest.raises(InputError, match="has changed since it was planned"):
        predict(settings)
    write_parquet(rows, ["a"])
    content = json.loads((model / "manifest.json").read_text())
    (model / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="but the plan is for"):
        predict(settings)
    with pytest.raises(InputError, match="holds rows of other model"):
        plan(settings)


def test_texts_are_in_the_report_unless_they_are_left_out(model_folder, texts, tmp_path):
    rows = write_parquet(tmp_path / "rows.parquet", texts)
    given = {"input": rows, "model": model_folder, "least_sure": 5}
    shown = finished(tmp_path, output=tmp_path / "shown", **given)
    page = words_of(tmp_path / "page.html")
    assert all(row.text in page for row in shown.tally.least_sure)
    assert "empty2" in page
    finished(tmp_path, output=tmp_path / "hidden", show_texts=False, **given)
    page = (tmp_path / "page.html").read_text()
    kept = [page, *(each.read_text() for each in (tmp_path / "hidden").rglob("*.json"))]
    assert "rows.parquet, row" in page
    assert not any(row.text in each for each in kept for row in shown.tally.least_sure)
