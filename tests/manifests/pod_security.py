"""The Pod Security Standard *restricted*, rule by rule, for pods with Linux containers.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (Kubernetes 1.34)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
}


def violations(pod: Fields, annotations: Fields | None = None) -> set[str]:
    """Names of the rules that a pod's spec and annotations break."""
    broken = {name for name, holds in RULES.items() if not holds(pod)}
    prefix = "container.apparmor.security.beta.kubernetes.io/"
    for key, profile in (annotations or {}).items():
        if key.startswith(prefix) and not profile.startswith(("runtime/default", "localhost/")):
            broken.add("AppArmor")
    return broken


def _containers(pod: Fields) -> Iterator[Fields]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(field) or []


def _contexts(pod: Fields) -> Iterator[Fields]:
    """The security context of the pod, then of each of its containers."""
    yield pod.get("securityContext") or {}
    for container in _containers(pod):
        yield container.get("securityContext") or {}


def _host_process(pod: Fields) -> bool:
    return not any((each.get("windowsOptions") or {}).get("hostProcess") for each in _contexts(pod))


def _host_namespaces(pod: Fields) -> bool:
    return not any(pod.get(field) for field in ("hostNetwork", "hostPID", "hostIPC"))


def _privileged(pod: Fields) -> bool:
    return not any(each.get("privileged") for each in _contexts(pod))


def _capabilities(pod: Fields) -> bool:
    for container in _containers(pod):
        capabilities = (container.get("securityContext") or {}).get("capabilities") or {}
        added = set(capabilities.get("add") or [])
        if "ALL" not in (capabilities.get("drop") or []) or added - {"NET_BIND_SERVICE"}:
            return False
    return True


def _volume_types(pod: Fields) -> bool:
    return all(set(each) - {"name"} <= _VOLUMES for each in pod.get("volumes") or [])


def _host_ports(pod: Fields) -> bool:
    ports = (port for each in _containers(pod) for port in each.get("ports") or [])
    return not any(port.get("hostPort") for port in ports)


def _host_probes(pod: Fields) -> bool:
    return not any(action.get("host") for each in _containers(pod) for action in _actions(each))


def _actions(container: Fields) -> Iterator[Fields]:
    hooks: list[Fields] = list((container.get("lifecycle") or {}).values())
    hooks += [container.get(f"{name}Probe") or {} for name in ("liveness", "readiness", "startup")]
    for hook in hooks:
        yield from (hook.get(field) or {} for field in ("httpGet", "tcpSocket"))


def _app_armor(pod: Fields) -> bool:
    profiles = (each.get("appArmorProfile") or {} for each in _contexts(pod))
    return all(each.get("type") in {None, "RuntimeDefault", "Localhost"} for each in profiles)


def _selinux(pod: Fields) -> bool:
    options: Sequence[Fields] = [each.get("seLinuxOptions") or {} for each in _contexts(pod)]
    types = {each.get("type", "") for each in options}
    return types <= _SELINUX_TYPES and not any(
        each.get(field) for each in options for field in ("user", "role")
    )


def _proc_mount(pod: Fields) -> bool:
    return all(each.get("procMount") in {None, "Default"} for each in _contexts(pod))


def _seccomp(pod: Fields) -> bool:
    of_pod, *of_containers = [
        (each.get("seccompProfile") or {}).get("type") for each in _contexts(pod)
    ]
    allowed = {"RuntimeDefault", "Localhost"}
    return of_pod in {None, *allowed} and all((each or of_pod) in allowed for each in of_containers)


def _sysctls(pod: Fields) -> bool:
    context = pod.get("securityContext") or {}
    return {each["name"] for each in context.get("sysctls") or []} <= _SYSCTLS


def _privilege_escalation(pod: Fields) -> bool:
    _, *of_containers = _contexts(pod)
    return all(each.get("allowPrivilegeEscalation") is False for each in of_containers)


def _non_root(pod: Fields) -> bool:
    of_pod, *of_containers = [each.get("runAsNonRoot") for each in _contexts(pod)]
    return all((of_pod if each is None else each) is True for each in of_containers)


def _non_root_user(pod: Fields) -> bool:
    return all(each.get("runAsUser") != 0 for each in _contexts(pod))


RULES: Mapping[str, Callable[[Fields], bool]] = {
    "HostProcess": _host_process,
    "Host Namespaces": _host_namespaces,
    "Privileged Containers": _privileged,
    "Capabilities": _capabilities,
    "Volume Types": _volume_types,
    "Host Ports": _host_ports,
    "Host Probes / Lifecycle Hooks": _host_probes,
    "AppArmor": _app_armor,
    "SELinux": _selinux,
    "/proc Mount Type": _proc_mount,
    "Seccomp": _seccomp,
    "Sysctls": _sysctls,
    "Privilege Escalation": _privilege_escalation,
    "Running as Non-root": _non_root,
    "Running as Non-root user": _non_root_user,
}
"""Restricted holds baseline, so HostPath Volumes is part of Volume Types."""
