"""The recurring run as KFP's API takes it."""

import copy
import json

import kfp_server_api
import pytest
import yaml

from tests.manifests.client_models import unknown_fields
from tests.manifests.rendering import OVERLAYS, named, overlay


def recurring_run(name="gke"):
    data = named(overlay(name), "ConfigMap", "emotion-recurring-run")["data"]
    return yaml.safe_load(data["recurring-run.yaml"])


class Response:
    def __init__(self, body):
        self.data = json.dumps(body)


def understood(body):
    """What KFP's client reads of it, checked for types and enumerations."""
    client = kfp_server_api.ApiClient()
    run = client.deserialize(Response(body), "V2beta1RecurringRun")
    return client.sanitize_for_serialization(run)


@pytest.mark.parametrize("name", OVERLAYS)
def test_kfp_understands_all_of_it(name):
    assert understood(recurring_run(name)) == recurring_run(name)


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


@pytest.mark.parametrize("name", OVERLAYS)
def test_it_runs_as_an_account_that_the_overlay_ships(name):
    assert named(overlay(name), "ServiceAccount", recurring_run(name)["service_account"])


def test_its_schedule_counts_seconds_first():
    # KFP's cron has six fields; with five, "at 03:00" would be "at minute 0 of every third hour".
    assert len(recurring_run()["trigger"]["cron_schedule"]["cron"].split()) == 6
