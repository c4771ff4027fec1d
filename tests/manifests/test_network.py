"""The evaluator of NetworkPolicies against Kubernetes' rules."""

import pytest

from tests.manifests.network import Peer, allowed

WEB, DATABASE = Peer("shop", {"app": "web"}), Peer("shop", {"app": "database"})
ELSEWHERE = Peer("other", {"app": "web"})
HOST = Peer(address="203.0.113.7")


def policy(selector, **spec):
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": selector, **spec}}


def ingress(*peers, ports=({"port": 5432},)):
    rule = {"from": list(peers), "ports": list(ports)}
    return policy({"matchLabels": {"app": "database"}}, ingress=[rule])


FROM_WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
DENY = policy({}, policyTypes=["Ingress", "Egress"])


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "expected"),
    [
        ([], ELSEWHERE, DATABASE, 5432, True),
        ([DENY], WEB, DATABASE, 5432, False),
        ([DENY], ELSEWHERE, HOST, 443, True),
        ([DENY, ingress(FROM_WEB)], WEB, DATABASE, 5432, False),  # source: not let out
        ([ingress(FROM_WEB)], WEB, DATABASE, 5432, True),
        ([ingress(FROM_WEB)], WEB, DATABASE, 22, False),
        ([ingress(FROM_WEB)], ELSEWHERE, DATABASE, 5432, False),
        ([ingress(FROM_WEB | {"namespaceSelector": {}})], ELSEWHERE, DATABASE, 5432, True),
        ([ingress({"namespaceSelector": {}})], HOST, DATABASE, 5432, False),
        ([ingress({"ipBlock": {"cidr": "203.0.113.0/24"}})], HOST, DATABASE, 5432, True),
        (
            [ingress({"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.7/32"]}})],
            HOST,
            DATABASE,
            5432,
            False,
        ),
        ([ingress(FROM_WEB, ports=[])], WEB, DATABASE, 1, True),
        ([ingress(FROM_WEB, ports=[{"port": 1, "endPort": 9}])], WEB, DATABASE, 9, True),
        ([ingress(FROM_WEB, ports=[{"port": 1, "endPort": 9}])], WEB, DATABASE, 10, False),
        ([ingress(FROM_WEB, ports=[{"port": 1, "protocol": "UDP"}])], WEB, DATABASE, 1, False),
        ([ingress(FROM_WEB)], WEB, WEB, 5432, True),  # not selected, so open
        ([policy({}, egress=[])], WEB, HOST, 443, False),
        ([policy({}, egress=[{}])], WEB, HOST, 443, True),
    ],
)
def test_a_connection_needs_both_sides(policies, source, target, port, expected):
    assert allowed(policies, source, target, port) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"operator": "DoesNotExist"}, False),
        ({"operator": "In", "values": ["web"]}, True),
        ({"operator": "NotIn", "values": ["web"]}, False),
    ],
)
def test_expressions_select(expression, expected):
    selector = {"matchExpressions": [{"key": "app", **expression}]}
    assert allowed([policy(selector, egress=[])], WEB, HOST, 443) is not expected


def test_an_unknown_operator_is_refused():
    selector = {"matchExpressions": [{"key": "app", "operator": "Like"}]}
    with pytest.raises(ValueError, match="Like"):
        allowed([policy(selector, egress=[])], WEB, HOST, 443)
