"""The part of a service that this project set, by the records of server-side apply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.deploy.cluster.service import recorded
from components.deploy.inference_service import inference_service
from components.errors import InputError
from tests.applied import applied

SERVICE = inference_service("emotion", "gs://models/1", "image:1", {"emotion-pipeline/run": "1"})


def test_what_was_applied_is_recorded():
    assert recorded(applied(SERVICE)) == SERVICE


def test_what_others_set_in_addition_is_not():
    service = applied(SERVICE)
    service["metadata"]["annotations"] = {**service["metadata"]["annotations"], "team": "nlp"}
    predictor = {**service["spec"]["predictor"], "minReplicas": 3}
    service["spec"] = {"predictor": predictor}
    service["status"] = {"url": "http://emotion"}
    assert recorded(service) == SERVICE


def test_no_service_is_recorded_as_none():
    assert recorded(None) is None


@pytest.mark.parametrize(
    "service",
    [
        applied(SERVICE, manager="kubectl"),
        applied(SERVICE, operation="Update"),
        {**SERVICE, "metadata": {"name": "emotion"}},
    ],
)
def test_a_service_of_somebody_else_is_refused(service):
    with pytest.raises(InputError, match="emotion: already exists, and was not created by"):
        recorded(service)


names = st.sampled_from(["a", "b", "c", "d"])
leaves = st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "f:x", "."])
values = leaves | st.lists(leaves, max_size=2)
trees = st.dictionaries(names, values | st.dictionaries(names, values, max_size=3), max_size=3)


@given(ours=trees, theirs=trees)
def test_any_spec_comes_back_without_the_fields_of_others(ours, theirs):
    manifest = {**SERVICE, "spec": {**ours, "predictor": {}}}
    service = applied(manifest)
    service["spec"] = {**theirs, **manifest["spec"]}
    assert recorded(service) == manifest


def test_items_of_lists_are_told_apart_by_their_keys():
    service = applied(SERVICE)
    ports = [{"containerPort": 8080, "name": "http"}, {"containerPort": 9000, "name": "theirs"}]
    service["spec"] = {"ports": ports, "tags": ["ours", "theirs"]}
    service["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"] = {
        "f:ports": {'k:{"containerPort":8080}': {".": {}, "f:containerPort": {}, "f:name": {}}},
        "f:tags": {'v:"ours"': {}},
    }
    assert recorded(service)["spec"] == {"ports": ports[:1], "tags": ["ours"]}
