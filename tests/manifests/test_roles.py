"""What each account may do in the cluster, and no more."""

import pytest

from tests.manifests.rendering import OVERLAYS, named, of_kind, overlay

KSERVE, CORE, LEASES, ARGO = "serving.kserve.io", "", "coordination.k8s.io", "argoproj.io"
DEPLOYER = {
    *((KSERVE, "inferenceservices", verb) for verb in ("get", "list", "watch", "create", "patch")),
    *((CORE, kind, verb) for kind in ("pods", "events") for verb in ("get", "list")),
    *((LEASES, "leases", verb) for verb in ("create", "get", "update")),
}
RUNNER = {
    (ARGO, "workflowtaskresults", "create"),
    (ARGO, "workflowtaskresults", "patch"),
    (CORE, "configmaps", "get"),
    (CORE, "pods", "get"),
    (CORE, "pods", "list"),
}
RIGHTS = {
    ("gke", "deployer"): DEPLOYER,
    ("kind", "deployer"): DEPLOYER,
    ("gke", "runner"): RUNNER,
    ("kind", "runner"): RUNNER | {(CORE, "secrets", "get")},
}
NAMED = {"configmaps", "secrets"}


def rules(name, role):
    return named(overlay(name), "Role", role)["rules"]


@pytest.mark.parametrize(("name", "role"), RIGHTS)
def test_a_role_holds_these_rights(name, role):
    assert {
        (group, kind, verb)
        for rule in rules(name, role)
        for group in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
    } == RIGHTS[name, role]


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("role", ["deployer", "runner"])
def test_configuration_and_secrets_are_read_by_name_alone(name, role):
    for rule in rules(name, role):
        if NAMED & set(rule["resources"]):
            assert rule["resourceNames"], rule


def test_only_its_own_lease_is_changed():
    (rule,) = (each for each in rules("gke", "deployer") if "update" in each["verbs"])
    assert rule["resourceNames"] == ["emotion-deploy"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_role_is_bound_to_the_account_of_its_name(name):
    bindings = of_kind(overlay(name), "RoleBinding")
    assert {each["metadata"]["name"] for each in bindings} == {"deployer", "runner"}
    for binding in bindings:
        role = binding["metadata"]["name"]
        assert binding["roleRef"]["kind"] == "Role"
        assert binding["roleRef"]["name"] == role
        subject = {"kind": "ServiceAccount", "name": role, "namespace": "emotion"}
        assert binding["subjects"] == [subject]


@pytest.mark.parametrize("name", OVERLAYS)
def test_nobody_has_rights_beyond_the_namespace(name):
    kinds = {each["kind"] for each in overlay(name)}
    assert kinds.isdisjoint({"ClusterRole", "ClusterRoleBinding"})


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_steps_mount_a_token(name):
    accounts = of_kind(overlay(name), "ServiceAccount")
    mounting = {
        each["metadata"]["name"] for each in accounts if each["automountServiceAccountToken"]
    }
    assert mounting == {"runner"}
    token = named(overlay(name), "Secret", "deployer-token")
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "deployer"}
