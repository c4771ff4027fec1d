"""The deployer's role fits exactly: what is in it is needed, and what is needed is in it."""

import copy
from dataclasses import replace

import pytest

from components.deploy.cluster import api as cluster
from components.deploy.cluster.api import RIGHTS
from components.deploy.cluster.rollout import RolloutFailed
from components.deploy.requirements import require_rights
from components.deploy.targets import kserve as on_cluster
from components.deploy.targets.kserve import report, roll_back
from components.errors import InputError
from tests.cluster.conftest import SENTENCES, TASK, Stage
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
    """All that a deployer does: deploy, fail to, roll back, look."""
    stage.deploy("old")
    stage.deploy("new")
    stage.play("bad", ends="crash")
    with pytest.raises(RolloutFailed, match="no manifest"):
        stage.deploy("bad")
    roll_back(stage.cluster, stage.settings, TASK, SENTENCES)
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
def test_no_right_of_the_role_is_too_many(make_stage, monkeypatch, number, resource, verb):
    stage = make_stage(without(number, resource, verb))
    monkeypatch.setattr(on_cluster, "require_rights", lambda *_: None)
    monkeypatch.setattr(cluster, "_FORBIDDEN_SECONDS", 1)
    stage.settings = replace(stage.settings, ready_seconds=20)
    with pytest.raises(InputError, match="forbidden"):
        everything(stage)


@pytest.mark.parametrize(("number", "resource", "verb"), SHIPPED)
def test_a_right_that_lacks_is_named_before_anything_is_done(make_stage, number, resource, verb):
    stage = make_stage(without(number, resource, verb))
    with pytest.raises(InputError, match=f"may not {verb} {resource}. Give it the role"):
        require_rights(stage.cluster, "emotion")


def test_the_role_says_what_the_code_says():
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
