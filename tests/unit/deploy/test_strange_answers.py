"""What answers in the place of the API server, and gives something else than was asked for."""

import json

import pytest
from kubernetes import client
from starlette.responses import Response
from starlette.routing import Route

from components.api_server import client_of
from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.modes import has_candidates, mode_for
from components.deploy.settings import DeploySettings
from components.errors import ClusterError
from components.outcome.cluster import RunCluster
from components.preflight.cluster_checks import require_gpu_node, require_kserve
from components.preflight.settings import GpuDemand
from tests.fakes.http_server import running

LEASE = {"metadata": {"name": "emotion-deploy"}}
ASKED = {
    "read": lambda cluster: cluster.read(LEASES, "emotion-deploy"),
    "apply": lambda cluster: cluster.apply(SERVICES, {"metadata": {"name": "emotion"}}),
    "create": lambda cluster: cluster.create(LEASES, LEASE),
    "replace": lambda cluster: cluster.replace(LEASES, LEASE),
    "pods": lambda cluster: cluster.pods("a=b"),
    "warnings": lambda cluster: cluster.warnings("emotion"),
    "rights": lambda cluster: cluster.may("get", "", "pods", ""),
    "mode": lambda cluster: mode_for(cluster, DeploySettings()),
    "group": lambda cluster: cluster.described("/apis/serving.knative.dev", "kind", str),
    "schemas": lambda cluster: has_candidates(cluster, "emotion"),
    "KServe": require_kserve,
    "nodes": lambda cluster: require_gpu_node(cluster, GpuDemand(resource="gpu")),
    "workflow": lambda cluster: RunCluster(cluster.api, "ns").workflow("run"),
    "events": lambda cluster: RunCluster(cluster.api, "ns").events("pod"),
}
STRANGE = [
    "{}",
    "[]",
    "[{}]",
    "null",
    "3",
    '"text"',
    "",
    "<p>Log in</p>",
    "[" * 100_000,
    b"<p>Bitte anmelden f\xfcr</p>",
    '{"error": "log in"}',
    '{"metadata": 1, "items": 1, "status": 1, "kind": 1, "components": 1, "resources": 1}',
    '{"metadata": [], "items": [1], "status": [], "kind": {}, "components": [], "resources": [1]}',
    '{"metadata": null, "items": null, "status": null, "resources": null}',
]


@pytest.fixture(scope="module")
def server():
    """A server with one answer to everything; gives its URL, and where its answer stands."""
    body = [""]

    def answer(_):
        return Response(body[0], media_type="application/json")

    methods = ["GET", "POST", "PUT", "PATCH"]
    with running([Route("/{path:path}", answer, methods=methods)]) as url:
        yield url, body


@pytest.fixture
def cluster(server):
    return Cluster(client_of(client.Configuration(host=server[0])), "ns")


@pytest.mark.parametrize("answer", STRANGE)
@pytest.mark.parametrize("asked", ASKED)
def test_an_answer_that_lacks_what_was_asked_is_named_with_its_server(
    cluster, server, asked, answer
):
    url, server[1][0] = server[0], answer
    with pytest.raises(ClusterError) as said:
        ASKED[asked](cluster)
    assert str(said.value).startswith(f"API server {url}: answers ")
    assert "Check the server of the kubeconfig, and proxies on the way" in str(said.value)


def test_it_says_what_the_answer_was_and_lacks(cluster, server):
    server[1][0] = '{"error": "log in"}'
    said = r"""answers '{"error": "log in"}', without a whole `items`\."""
    with pytest.raises(ClusterError, match=said):
        cluster.pods("a=b")
    server[1][0] = "<p>\nLog   in</p>" + "x" * 500
    with pytest.raises(ClusterError, match=r"answers '<p> Log in</p>x{86}', which is a page"):
        cluster.read(LEASES, "emotion-deploy")


def test_what_an_api_server_may_leave_out_is_no_fault(cluster, server):
    items = [{"metadata": {"name": "a"}}, {"metadata": {}, "status": None}]
    server[1][0] = json.dumps({"items": items})
    assert cluster.pods("a=b") == items
    assert [str(each) for each in cluster.warnings("a")] == [": ", ": "]
    server[1][0] = json.dumps({"status": {}})
    assert cluster.may("get", "", "pods", "") is False
    service = {"metadata": {"name": "emotion"}, "spec": {"predictor": {}}}
    server[1][0] = json.dumps({**service, "components": {}})
    assert has_candidates(cluster, "emotion") is False


@pytest.mark.parametrize(
    "details",
    ['"x"', "[1]", '{"causes": "x"}', '{"causes": ["x"]}', '{"causes": {"a": 1}}', "null"],
)
def test_the_details_of_a_refusal_may_be_of_any_form(details):
    body = f'{{"kind": "Status", "message": "no room", "details": {details}}}'

    def refuse(_):
        return Response(body, 422, media_type="application/json")

    with running([Route("/{path:path}", refuse)]) as url:
        cluster = Cluster(client_of(client.Configuration(host=url)), "ns")
        with pytest.raises(ClusterError, match=r"no room\. Correct the manifest"):
            cluster.read(LEASES, "emotion-deploy")
