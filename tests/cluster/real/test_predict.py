"""Many texts labelled by pods of the compiled pipeline, one of which is killed."""

import uuid
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.publishing import publish_model, serving_uri
from components.artifacts.registry import Champion, replace_champion
from tests.cluster.node.object_storage import BUCKET
from tests.cluster.real.site import REGISTRY, wait_for
from tests.cluster.real.step_pod import Call

pytestmark = pytest.mark.cluster
ROWS, PART_ROWS = 2_000, 250
# Two pods of 1,000 rows each.
SHARDS = [{"shard": number, "shards": 2} for number in (0, 1)]


@pytest.fixture(scope="module")
def site(everywhere, predict_pipeline):
    """The namespace with a champion, and with the pipeline that labels texts."""
    everywhere.clear()
    uri, sealed = f"{REGISTRY}/run-1", bundle.verify(everywhere.models["old"])
    publish_model(sealed.folder, uri)
    replace_champion(REGISTRY, Champion("run-1", serving_uri(uri), sealed.sha256, {}), 0)
    return replace(everywhere, pipeline=predict_pipeline)


@pytest.fixture(scope="module")
def texts(dataset_folder):
    known = pd.read_parquet(dataset_folder / "train.parquet")["text"]
    return [f"{known[number % len(known)]} {number}" for number in range(ROWS)]


@pytest.fixture(scope="module")
def parameters(site, texts, tmp_path_factory):
    folder = f"s3://{BUCKET}/predict/{uuid.uuid4().hex[:6]}"
    file = tmp_path_factory.mktemp("texts") / "texts.parquet"
    pd.DataFrame({"id": range(ROWS), "text": texts}).to_parquet(file)
    site.files.put(str(file), f"{folder}/in/texts.parquet")
    return {
        "predict_input": f"{folder}/in",
        "predict_output": f"{folder}/out",
        "deploy_registry": REGISTRY,
        "predict_options": {"part_rows": PART_ROWS},
    }


def shard(parameters, number):
    outputs = {name: f"{parameters['predict_output']}-{number}-{name}" for name in KINDS}
    return Call("predict-shard", {**parameters, "share": SHARDS[number]}, {}, outputs)


KINDS = ("counted", "figures")


def parts(site, parameters):
    return site.found(f"{parameters['predict_output']}/texts.parquet/part-*.parquet")


def test_pods_label_every_row_as_the_model_does_though_one_is_killed(site, parameters, texts):
    more = {"run_id": "run-1", "predict_shards": 2}
    planned = site.run(Call("predict-plan", {**parameters, **more}, {}, {}))
    assert planned.succeeded, planned.log
    assert planned.outputs["Output"] == SHARDS

    killed = site.start(shard(parameters, 0))
    wait_for(lambda: parts(site, parameters))
    site.core.delete_namespaced_pod(killed, "emotion", grace_period_seconds=0)
    written = {each: site.files.info(each)["LastModified"] for each in parts(site, parameters)}
    pods = [site.start(shard(parameters, number)) for number in (0, 1)]
    for pod in pods:
        done = site.end_of(pod)
        assert done.succeeded, done.log
    for each, moment in written.items():
        assert site.files.info(each)["LastModified"] == moment, "what was there is not done again"

    outputs = {name: f"{parameters['predict_output']}-{name}" for name in REPORTED}
    counted = [shard(parameters, number).outputs["counted"] for number in (0, 1)]
    done = site.run(Call("predict-report", parameters, {"shards": counted}, outputs))
    assert done.succeeded, done.log
    found = pd.concat(pd.read_parquet(site.files.open(each)) for each in parts(site, parameters))
    assert found["id"].tolist() == [*range(ROWS)]
    expected = Classifier(site.models["old"]).probabilities(texts[:100])
    names = [each for each in found if each.startswith("probability_")]
    np.testing.assert_allclose(found[names].head(100), expected, atol=1e-3)


REPORTED = ("predictions", "figures", "report")
