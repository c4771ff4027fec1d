"""Who may talk to whom by a set of NetworkPolicies, as Kubernetes defines them.

A connection needs both sides: the policies of its source must let it out and those of its target
let it in. A side without a policy is open. A block of addresses may also hold pods: network
plug-ins differ there, and this takes the one that allows more.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """A pod, or with no namespace a host outside the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "10.8.0.1"


def allowed(
    policies: Iterable[Fields], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """True if a connection from source to a port of target is let through."""
    all_policies = list(policies)
    out = _side_allows(all_policies, "Egress", source, target, port, protocol)
    return out and _side_allows(all_policies, "Ingress", target, source, port, protocol)


def _side_allows(
    policies: list[Fields], direction: str, pod: Peer, peer: Peer, port: int, protocol: str
) -> bool:
    selecting = [each for each in policies if _selects(each, direction, pod)]
    rules = (rule for each in selecting for rule in each["spec"].get(direction.lower()) or [])
    return not selecting or any(
        _peer_matches(rule, direction, pod.namespace, peer) and _port_matches(rule, port, protocol)
        for rule in rules
    )


def _selects(policy: Fields, direction: str, pod: Peer) -> bool:
    spec = policy["spec"]
    default = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    return (
        policy["metadata"]["namespace"] == pod.namespace
        and direction in spec.get("policyTypes", default)
        and _matches(spec["podSelector"], pod.labels)
    )


def _peer_matches(rule: Fields, direction: str, namespace: str, peer: Peer) -> bool:
    peers = rule.get("from" if direction == "Ingress" else "to")
    return not peers or any(_one_peer_matches(each, namespace, peer) for each in peers)


def _one_peer_matches(given: Fields, namespace: str, peer: Peer) -> bool:
    if block := given.get("ipBlock"):
        networks = [ip_network(each) for each in block.get("except") or []]
        address = ip_address(peer.address)
        return address in ip_network(block["cidr"]) and not any(address in n for n in networks)
    if not peer.namespace:
        return False
    if (selector := given.get("namespaceSelector")) is None:
        in_namespace = peer.namespace == namespace
    else:
        in_namespace = _matches(selector, {"kubernetes.io/metadata.name": peer.namespace})
    return in_namespace and _matches(given.get("podSelector") or {}, peer.labels)


def _port_matches(rule: Fields, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return not ports or any(
        each.get("protocol", "TCP") == protocol
        and ("port" not in each or each["port"] <= port <= each.get("endPort", each["port"]))
        for each in ports
    )


def _matches(selector: Fields, labels: Mapping[str, str]) -> bool:
    wanted = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted) and all(
        _expression_matches(each, labels) for each in expressions
    )


def _expression_matches(expression: Fields, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
    raise ValueError(f"operator {expression['operator']!r} is none of Kubernetes'")
