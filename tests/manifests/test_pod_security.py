"""Every pod meets the Pod Security Standard restricted, and the checker sees every breach of it."""

import copy

import pytest

from components.deploy.inference_service import KNATIVE, STANDARD, inference_service
from components.train.cluster import katib
from components.train.cluster.pods import Access, PodResources
from components.train.settings import TrainSettings
from tests.manifests.pod_security import RULES, violations
from tests.manifests.rendering import OVERLAYS, example, named, of_kind, overlay

CONTEXT = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
GOOD = {"containers": [{"name": "main", "image": "image", "securityContext": CONTEXT}]}


def pod(**fields):
    return copy.deepcopy(GOOD) | fields


def container(field="containers", **fields):
    given = copy.deepcopy(GOOD["containers"][0]) | {"name": "other"} | fields
    return pod(**{field: [*(GOOD["containers"] if field == "containers" else []), given]})


def context(field="containers", **fields):
    return container(field, securityContext=copy.deepcopy(CONTEXT) | fields)


def without(name):
    return context(**{name: None})


BREACHES = [
    ("HostProcess", pod(securityContext={"windowsOptions": {"hostProcess": True}})),
    ("HostProcess", context(windowsOptions={"hostProcess": True})),
    ("Host Namespaces", pod(hostNetwork=True)),
    ("Host Namespaces", pod(hostPID=True)),
    ("Host Namespaces", pod(hostIPC=True)),
    ("Privileged Containers", context(privileged=True)),
    ("Privileged Containers", context("initContainers", privileged=True)),
    ("Privileged Containers", context("ephemeralContainers", privileged=True)),
    ("Capabilities", without("capabilities")),
    ("Capabilities", context(capabilities={"drop": ["NET_RAW"]})),
    ("Capabilities", context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
    ("Volume Types", pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}])),
    ("Volume Types", pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "/"}}])),
    ("Host Ports", container(ports=[{"containerPort": 80, "hostPort": 80}])),
    ("Host Probes / Lifecycle Hooks", container(livenessProbe={"httpGet": {"host": "h"}})),
    ("Host Probes / Lifecycle Hooks", container(startupProbe={"tcpSocket": {"host": "h"}})),
    (
        "Host Probes / Lifecycle Hooks",
        container(lifecycle={"preStop": {"httpGet": {"host": "h"}}}),
    ),
    ("AppArmor", context(appArmorProfile={"type": "Unconfined"})),
    ("AppArmor", pod(securityContext={"appArmorProfile": {"type": "Unconfined"}})),
    ("SELinux", context(seLinuxOptions={"type": "spc_t"})),
    ("SELinux", pod(securityContext={"seLinuxOptions": {"user": "system_u"}})),
    ("SELinux", context(seLinuxOptions={"role": "system_r"})),
    ("/proc Mount Type", context(procMount="Unmasked")),
    ("Seccomp", without("seccompProfile")),
    ("Seccomp", context(seccompProfile={"type": "Unconfined"})),
    ("Seccomp", pod(securityContext={"seccompProfile": {"type": "Unconfined"}})),
    ("Sysctls", pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]})),
    ("Privilege Escalation", without("allowPrivilegeEscalation")),
    ("Privilege Escalation", context("initContainers", allowPrivilegeEscalation=True)),
    ("Running as Non-root", without("runAsNonRoot")),
    ("Running as Non-root", context(runAsNonRoot=False)),
    ("Running as Non-root user", context(runAsUser=0)),
    ("Running as Non-root user", pod(securityContext={"runAsUser": 0})),
]

MET = [
    pod(),
    pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]}),
    pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "w", "secret": {"secretName": "s"}}]),
    context(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    context(appArmorProfile={"type": "Localhost", "localhostProfile": "p"}),
    context(seLinuxOptions={"type": "container_t"}),
    # The pod's word counts where a container has none.
    without("runAsNonRoot") | {"securityContext": {"runAsNonRoot": True}},
    without("seccompProfile") | {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
]


@pytest.mark.parametrize(("rule", "breach"), BREACHES)
def test_a_breach_is_found_and_named(rule, breach):
    assert violations(breach) == {rule}


@pytest.mark.parametrize("met", MET)
def test_a_pod_within_the_rules_passes(met):
    assert violations(met) == set()


def test_every_rule_has_a_breach():
    assert {rule for rule, _ in BREACHES} == set(RULES)


@pytest.mark.parametrize("profile", ["unconfined", ""])
def test_app_armors_old_annotation_counts(profile):
    key = "container.apparmor.security.beta.kubernetes.io/main"
    assert violations(pod(), {key: profile}) == {"AppArmor"}
    assert violations(pod(), {key: "runtime/default"}) == set()


def served_pod(name):
    """The pod that KServe makes of the example.

    The runtime's containers stand in the predictor, behind the storage initializer.
    """
    predictor = dict(example()["spec"]["predictor"])
    model = predictor.pop("model")
    storage = named(overlay(name), "ClusterStorageContainer", predictor["storageContainerName"])
    runtime = named(overlay(name), "ServingRuntime", model["runtime"])
    return runtime["spec"] | predictor | {"initContainers": [storage["spec"]["container"]]}


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_predictors_pod_meets_it(name):
    assert violations(served_pod(name), served_pod(name)["annotations"]) == set()


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("field", ["containers", "initContainers"])
def test_a_rule_that_is_dropped_from_a_container_is_noticed(name, field):
    for rule in ("capabilities", "seccompProfile", "runAsNonRoot", "allowPrivilegeEscalation"):
        broken = copy.deepcopy(served_pod(name))
        del broken[field][0]["securityContext"][rule]
        assert len(violations(broken)) == 1, rule


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_predictor_has_a_read_only_root_and_no_token(name):
    for each in (*served_pod(name)["containers"], *served_pod(name)["initContainers"]):
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
        assert each["securityContext"]["runAsUser"] == 1000
    assert served_pod(name)["automountServiceAccountToken"] is False
    account = named(overlay(name), "ServiceAccount", served_pod(name)["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize("mode", [KNATIVE, STANDARD])
def test_the_inference_service_of_the_deploy_step_meets_it(name, mode):
    service = inference_service("emotion", "gs://bucket/model", "image", {}, mode)
    predictor = service["spec"]["predictor"]
    storage = named(overlay(name), "ClusterStorageContainer", predictor["storageContainerName"])
    assert violations(predictor | {"initContainers": [storage["spec"]["container"]]}) == set()


def trial_pod():
    """The pod of a trial as Katib completes it: with its metrics collector.

    Source: SidecarInjector in kubeflow/katib 0.19, pkg/webhook/v1beta1/pod/inject_webhook.go
    """
    pod, access, plan = PodResources(), Access(keys="keys"), katib.Plan()
    search = katib.experiment(
        "search", TrainSettings(), [], "image", "gs://b/data", plan, pod, access
    )
    spec = search["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"]
    (train,) = spec["containers"]
    sidecar = {"name": "metrics-logger-and-collector", "image": "collector"}
    if katib_config()["init"]["controller"]["injectSecurityContext"]:
        sidecar["securityContext"] = train["securityContext"]
    return spec | {"containers": [train, sidecar], "shareProcessNamespace": True}


def katib_config():
    return example("katib-config.yaml")


def test_a_trial_of_katib_meets_it_with_its_metrics_collector():
    assert violations(trial_pod()) == set()


@pytest.mark.parametrize("algorithm", katib.Plan.ALGORITHMS)
def test_the_algorithms_of_katib_meet_it(algorithm):
    runtime = katib_config()["runtime"]
    (pod,) = (each for each in runtime["suggestions"] if each["algorithmName"] == algorithm)
    assert violations({"containers": [pod]}) == set()


@pytest.mark.parametrize("name", OVERLAYS)
def test_katib_adds_its_metrics_collector_in_the_namespace(name):
    (namespace,) = of_kind(overlay(name), "Namespace")
    label = "katib.kubeflow.org/metrics-collector-injection"
    assert namespace["metadata"]["labels"][label] == "enabled"


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_namespaces_limits_admit_a_training(name):
    (limits,) = of_kind(overlay(name), "LimitRange")
    (container,) = (each for each in limits["spec"]["limits"] if each["type"] == "Container")
    given = PodResources().to_manifest()
    # Where one is missing the default stands in, and a request may not exceed its limit.
    assert {**container["default"], **given["limits"]}["cpu"] == given["requests"]["cpu"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_namespace_enforces_it(name):
    (namespace,) = of_kind(overlay(name), "Namespace")
    labels = namespace["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_kind_with_a_pod_goes_unchecked(name):
    kinds = {each["kind"] for each in overlay(name)}
    pods = {
        "InferenceService",
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
    }
    assert kinds.isdisjoint(pods)
