"""The recurring runs as KFP's API takes them."""

import copy
import json

import kfp_server_api
import pytest
import yaml

from tests.manifests.client_models import unknown_fields
from tests.manifests.rendering import OVERLAYS, named, overlay

BODIES = ("recurring-run.yaml", "recurring-watch.yaml", "recurring-predict.yaml")


def recurring_run(name="gke", body=BODIES[0]):
    data = named(overlay(name), "ConfigMap", "emotion-recurring-run")["data"]
    return yaml.safe_load(data[body])


class Response:
    def __init__(self, body):
        self.data = json.dumps(body)


def understood(body):
    """What KFP's client reads of it, checked for types and enumerations."""
    client = kfp_server_api.ApiClient()
    run = client.deserialize(Response(body), "V2beta1RecurringRun")
    return client.sanitize_for_serialization(run)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_kfp_understands_all_of_it(name, body):
    assert understood(recurring_run(name, body)) == recurring_run(name, body)


def test_neither_takes_the_place_of_the_other():
    assert len({recurring_run(body=body)["display_name"] for body in BODIES}) == len(BODIES)


@pytest.mark.parametrize("place", [(), ("trigger",), ("trigger", "cron_schedule")])
def test_a_misspelt_field_is_noticed(place):
    run = copy.deepcopy(recurring_run())
    inner = run
    for key in place:
        inner = inner[key]
    inner["misspelt"] = "x"
    assert unknown_fields(recurring_run(), kfp_server_api.V2beta1RecurringRun) == []
    (error,) = unknown_fields(run, kfp_server_api.V2beta1RecurringRun)
    assert "misspelt" in error
    assert understood(run) != run


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_it_runs_as_an_account_that_the_overlay_ships(name, body):
    assert named(overlay(name), "ServiceAccount", recurring_run(name, body)["service_account"])


@pytest.mark.parametrize("body", BODIES)
def test_its_schedule_counts_seconds_first(body):
    # KFP's cron has six fields; with five, "at 03:00" would be "at minute 0 of every third hour".
    assert len(recurring_run(body=body)["trigger"]["cron_schedule"]["cron"].split()) == 6
