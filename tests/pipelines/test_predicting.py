"""The third pipeline: two pods label what one does, and what compile and submit make of it."""

import inspect
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from components.artifacts.model.classifier import Classifier
from components.errors import InputError, WorkError
from pipelines.compile.compiler import compile_pipeline
from pipelines.definitions import PREDICT
from pipelines.local.runner import run_steps
from pipelines.parameters import read_predict_parameters
from pipelines.predict import predict, predict_for
from tests.compiled import executors, read_compiled, steps
from tests.fakes.kfp_api import FakeKfp, serving
from tests.pipelines.test_submit import submit

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")

STEPS = {"predict-plan", "predict-shard", "predict-report"}


@pytest.fixture(scope="module")
def rows(dataset_folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    frame = pd.read_parquet(dataset_folder / "test.parquet").rename(columns={"label": "given"})
    frame[:90].to_parquet(path)
    return path


def labelled(rows, model, folder, shards):
    """Run the pipeline here; gives the rows that it writes, and the run's folder."""
    given = {
        "predict_input": str(rows),
        "predict_output": str(folder / "labelled"),
        "predict_shards": shards,
        "predict_options.model": str(model),
        "predict_options.part_rows": 20,
    }
    run_steps(predict_for, read_predict_parameters(None, (), given), folder / "run", {})
    return pd.read_parquet(folder / "labelled" / rows.name), folder / "run"


def test_two_shards_label_the_rows_as_one_does(rows, model_folder, tmp_path):
    one, _ = labelled(rows, model_folder, tmp_path / "one", 1)
    two, run = labelled(rows, model_folder, tmp_path / "two", 2)
    pd.testing.assert_frame_equal(one, two)
    classifier = Classifier(model_folder)
    expected = classifier.probabilities(one["text"].tolist())
    shares = one[[f"probability_{each}" for each in classifier.labels]]
    assert (shares.to_numpy() == expected).all()
    assert len(list(run.glob("artifacts/*/for-loop-1-iteration-*/predict-shard"))) == 2
    (executed,) = run.glob("artifacts/*/predict-report/executor_output.json")
    written = json.loads(executed.read_text())["artifacts"]
    predictions, figures = (written[each]["artifacts"][0] for each in ("predictions", "figures"))
    output = tmp_path / "two" / "labelled"
    assert predictions["metadata"] == {"place": str(output), "rows": 90}
    assert Path(predictions["uri"]).read_bytes() == (output / "predictions.json").read_bytes()
    assert figures["metadata"]["rows"] == 90
    shares = [figures["metadata"][f"share_{each}"] for each in classifier.labels]
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    (page,) = run.glob("artifacts/*/predict-report/report")
    assert page.read_bytes() == (output / "report.html").read_bytes()


def test_what_cannot_be_used_ends_the_run_before_a_shard_starts(rows, model_folder, tmp_path):
    broken = shutil.copytree(model_folder, tmp_path / "model")
    (broken / "labels.json").write_text("{}")
    with pytest.raises(WorkError, match=r"step predict-plan: failed: .*labels\.json.*sha256"):
        labelled(rows, broken, tmp_path, 2)
    assert not (tmp_path / "run" / "logs" / "predict-shard.log").exists()


def test_it_is_what_the_source_compiles_to(tmp_path):
    compile_pipeline(tmp_path / "predict.yaml", definition=PREDICT)
    fresh = (tmp_path / "predict.yaml").read_text()
    assert fresh == PREDICT.compiled.read_text(), "run `make compile` and commit the result"


def test_no_step_is_cached_and_all_run_in_the_image_of_evaluate():
    spec, kubernetes = read_compiled(PREDICT.compiled)
    assert set(steps(spec)) == set(executors(spec)) == STEPS
    for name in STEPS:
        assert "enableCache" not in steps(spec)[name].get("cachingOptions", {})
        assert executors(spec)[name]["image"] == "emotion-pipeline/evaluate"
        assert kubernetes[name]["podMetadata"]["labels"] == {"emotion-pipeline/step": name}
    shown = spec["root"]["inputDefinitions"]["parameters"]
    assert set(shown) == set(inspect.signature(predict.pipeline_func).parameters)
    assert all(each["description"] and each["isOptional"] for each in shown.values())


def test_its_parameters_are_checked_and_those_of_a_cluster_are_taken():
    cluster = {"deploy_registry": "gs://models", "train_epochs": 3}
    given = ["predict_input=gs://b/in predict_output=gs://b/out predict_options.prefix=my_"]
    values = read_predict_parameters(None, given, cluster)
    assert values == {
        "predict_input": "gs://b/in",
        "predict_output": "gs://b/out",
        "predict_shards": 1,
        "deploy_registry": "gs://models",
        "predict_options": {"prefix": "my_"},
    }
    with pytest.raises(InputError, match="input: is empty"):
        read_predict_parameters(None, (), cluster)
    with pytest.raises(InputError, match="predict_shards=0"):
        read_predict_parameters(None, [*given, "predict_shards=0"], cluster)


def test_the_set_for_a_cluster_keeps_texts_out_of_the_report():
    shipped = Path(PREDICT.compiled).parents[1] / "params" / "predict" / "cluster.yaml"
    given = ["predict_input=gs://b/in predict_output=gs://b/out deploy_registry=gs://models"]
    values = read_predict_parameters(shipped, given)
    assert values["predict_shards"] == 8
    assert values["predict_options"] == {"show_texts": False}


def test_it_is_scheduled_beside_the_others():
    fake = FakeKfp()
    given = ["predict_input=gs://b/in", "predict_output=gs://b/out", "deploy_registry=gs://models"]
    options = [word for each in given for word in ("--set", each)]
    with serving(fake) as url:
        status, output = submit(url, "--pipeline", "predict", "--schedule", *options, params=None)
    assert status == 0, output
    assert [each.display_name for each in fake.pipelines] == ["predict"]
    (recurring,) = fake.recurring
    assert recurring.display_name == "predict-nightly"
    assert recurring.trigger.cron_schedule.cron == "0 0 1 * * *"
