"""What each account may do in the cluster, and no more."""

import pytest

from tests.manifests.rendering import OVERLAYS, named, of_kind, overlay

KSERVE, CORE, LEASES, ARGO = "serving.kserve.io", "", "coordination.k8s.io", "argoproj.io"
TRAINER, KATIB = "trainer.kubeflow.org", "kubeflow.org"
STARTING = ("create", "get", "patch", "delete", "deletecollection")
# At most these. That none is spare is shown where the deploy step runs against an API server.
DEPLOYER = {
    *((KSERVE, "inferenceservices", verb) for verb in ("get", "create", "patch", "delete")),
    *((CORE, kind, verb) for kind in ("pods", "events") for verb in ("get", "list")),
    *((LEASES, "leases", verb) for verb in ("create", "get", "update")),
}
RUNNER = {
    (ARGO, "workflows", "get"),
    (ARGO, "workflowtaskresults", "create"),
    (ARGO, "workflowtaskresults", "patch"),
    (CORE, "configmaps", "get"),
    (CORE, "events", "list"),
    (CORE, "pods", "get"),
    (CORE, "pods", "list"),
    (CORE, "pods/log", "get"),
    (TRAINER, "trainingruntimes", "get"),
    *((TRAINER, "trainjobs", verb) for verb in STARTING),
    *((KATIB, "experiments", verb) for verb in STARTING),
    (KATIB, "trials", "list"),
}


STEPS = ["runner", "default-editor"]
"""The accounts of steps: the one of `make submit`, and KFP's for runs from its UI."""


def rules(name, role):
    return named(overlay(name), "Role", role)["rules"]


def rights(name, role):
    return {
        (group, kind, verb)
        for rule in rules(name, role)
        for group in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_deployer_has_no_right_beyond_deploying(name):
    assert rights(name, "deployer")
    assert rights(name, "deployer") <= DEPLOYER


def test_the_runner_has_what_kfp_train_and_the_exit_handler_do_inside_a_step():
    assert rights("gke", "runner") == RUNNER
    assert rights("kind", "runner") == RUNNER | {(CORE, "secrets", "get")}


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("role", ["deployer", "runner"])
def test_configuration_and_secrets_are_read_by_name_alone(name, role):
    for rule in rules(name, role):
        if {"configmaps", "secrets"} & set(rule["resources"]):
            assert rule["resourceNames"], rule


def test_only_its_own_service_and_lease_are_changed():
    changing = {"update", "patch", "delete"}
    named = [
        (each["resources"], each["resourceNames"])
        for each in rules("gke", "deployer")
        if changing & set(each["verbs"])
    ]
    assert named == [(["inferenceservices"], ["emotion"]), (["leases"], ["emotion-deploy"])]


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_role_is_bound_to_the_account_of_its_name_and_the_steps_to_both_of_theirs(name):
    bindings = of_kind(overlay(name), "RoleBinding")
    assert {each["metadata"]["name"] for each in bindings} == {"deployer", "runner"}
    for binding in bindings:
        role = binding["metadata"]["name"]
        assert binding["roleRef"]["kind"] == "Role"
        assert binding["roleRef"]["name"] == role
        accounts = STEPS if role == "runner" else [role]
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": account, "namespace": "emotion"}
            for account in accounts
        ]


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
    assert mounting == set(STEPS)
    token = named(overlay(name), "Secret", "deployer-token")
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "deployer"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_role_reads_the_deployers_token(name):
    for role in of_kind(overlay(name), "Role"):
        for rule in role["rules"]:
            if "secrets" in rule["resources"]:
                assert rule["resourceNames"] == ["object-storage"]
