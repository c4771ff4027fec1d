"""The deployer's role fits exactly: its rights are all needed, and no others are."""

import copy
from dataclasses import replace

import pytest

from components.deploy import kserve
from components.deploy.cluster.api import RIGHTS
from components.deploy.cluster.connection import require_rights
from components.deploy.kserve import report
from components.errors import InputError, RolloutError, ServingError, StepError
from tests.cluster.stage import Stage
from tests.manifests.rendering import named, overlay

pytestmark = pytest.mark.cluster
RULES = named(overlay("gke"), "Role", "deployer")["rules"]
SHIPPED = [
    (number, resource, verb)
    for number, rule in enumerate(RULES)
    for resource in rule["resources"]
    for verb in rule["verbs"]
]


def everything(stage: Stage) -> None:
    """Do all that a deployer does: deploy, fail to deploy, roll back, report."""
    with pytest.raises(ServingError, match="no more than chance"):
        stage.deploy("bad")
    stage.deploy("old")
    stage.deploy("new")
    stage.play("bad", ends="crash")
    with pytest.raises(RolloutError, match="no manifest"):
        stage.deploy("bad")
    stage.roll_back()
    stage.require("old")
    assert "ready" in report(stage.cluster, "emotion")


def test_the_role_is_enough(stage):
    everything(stage)
    codes = [event["responseStatus"]["code"] for event in stage.asked()]
    refused = [code for code in codes if code in {401, 403}]
    assert codes
    assert refused == []


def without(number, resource, verb):
    """The rules of the role without one right."""
    rules = copy.deepcopy(RULES)
    cut = rules[number]
    others = {**cut, "resources": [each for each in cut["resources"] if each != resource]}
    cut["resources"] = [resource]
    cut["verbs"] = [each for each in cut["verbs"] if each != verb]
    rules += [others] if others["resources"] else []
    return [rule for rule in rules if rule["verbs"]]


@pytest.mark.parametrize(("number", "resource", "verb"), SHIPPED)
def test_every_right_of_the_role_is_needed(make_stage, monkeypatch, number, resource, verb):
    stage = make_stage(without(number, resource, verb))
    monkeypatch.setattr(kserve, "require_rights", lambda *_: None)
    stage.cluster.patience_seconds = 1
    stage.settings = replace(stage.settings, ready_seconds=20)
    with pytest.raises(StepError, match="forbidden"):
        everything(stage)


@pytest.mark.parametrize(("number", "resource", "verb"), SHIPPED)
def test_a_missing_right_is_named_before_anything_is_done(make_stage, number, resource, verb):
    stage = make_stage(without(number, resource, verb))
    with pytest.raises(InputError, match=f"may not {verb} {resource}. Give it the role"):
        require_rights(stage.cluster, "emotion")


def test_the_role_lists_the_rights_of_the_code():
    said = {(rule["apiGroups"][0], each) for rule in RULES for each in rule["resources"]}
    assert said == set(RIGHTS)
    for group, resource in RIGHTS:
        verbs = {
            verb
            for rule in RULES
            if group in rule["apiGroups"] and resource in rule["resources"]
            for verb in rule["verbs"]
        }
        assert verbs == set(RIGHTS[group, resource])
