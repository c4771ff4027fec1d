"""What KServe's own controller and webhooks make of a service's number of predictors."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client

from components.deploy.cluster.api import SERVICES, Cluster
from components.deploy.cluster.modes import has_candidates
from components.deploy.inference_service import STANDARD, inference_service, with_candidate
from components.deploy.scaling import Scaling
from components.errors import ClusterError
from tests.cluster.api_server import ApiServer, running_api_server
from tests.cluster.kserve_manager import running_manager
from tests.cluster.programs.build import API_SERVER, build
from tests.waiting import wait_for

pytestmark = pytest.mark.cluster
PREDICTOR, CANDIDATE = "emotion-predictor", "emotion-candidate-predictor"
PROMETHEUS = "http://prometheus-operated.monitoring:9090"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server with KServe."""
    programs = build([*API_SERVER, "kserve"])
    folder = tmp_path_factory.mktemp("kserve")
    with (
        running_api_server(programs, folder) as running,
        running_manager(programs, running, folder),
    ):
        yield running


@dataclass(frozen=True)
class Made:
    """A service in the cluster, and what KServe has made of it."""

    cluster: Cluster

    def put(self, service: dict[str, Any]) -> None:
        self.cluster.apply(SERVICES, service)

    def autoscaler(self, name: str) -> Any:
        """The specification of a HorizontalPodAutoscaler, once there is one of this name."""
        api = client.AutoscalingV2Api(self.cluster.api)
        listed = api.list_namespaced_horizontal_pod_autoscaler
        return self._found(name, lambda: listed(self.cluster.namespace).to_dict()["items"])

    def scaled_object(self, name: str) -> Any:
        """The specification of KEDA's object, once there is one of this name."""
        kind = ("keda.sh", "v1alpha1", self.cluster.namespace, "scaledobjects")
        listed = client.CustomObjectsApi(self.cluster.api).list_namespaced_custom_object
        return self._found(name, lambda: listed(*kind)["items"])

    @staticmethod
    def _found(name: str, listed: Callable[[], list[dict[str, Any]]]) -> Any:
        named = wait_for(lambda: [each for each in listed() if each["metadata"]["name"] == name])
        return named[0]["spec"]


@pytest.fixture
def made(server: ApiServer) -> Made:
    """A namespace of its own, since nothing collects what belonged to an earlier service."""
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    client.CoreV1Api(server.api("admin")).create_namespace({"metadata": {"name": namespace}})
    return Made(Cluster(server.api("admin"), namespace))


def service(name: str, *asked: Any) -> dict[str, Any]:
    plain = inference_service("emotion", f"gs://models/{name}", "image:1", {}, STANDARD)
    return Scaling(STANDARD, *asked).applied_to(plain, "emotion", PROMETHEUS)


def limits(autoscaler: dict[str, Any]) -> tuple[int, int, int]:
    """Fewest and most pods, and percent of the CPU."""
    (metric,) = autoscaler["metrics"]
    percent = metric["resource"]["target"]["average_utilization"]
    return autoscaler["min_replicas"], autoscaler["max_replicas"], percent


@pytest.mark.parametrize(
    ("asked", "expected"), [((2, 5), (2, 5, 100)), ((1, 3, "cpu", 60), (1, 3, 60))]
)
def test_an_autoscaler_of_kubernetes_gets_what_was_asked_for(made, asked, expected):
    made.put(service("old", *asked))
    assert limits(made.autoscaler(PREDICTOR)) == expected


def test_a_candidate_takes_its_share_of_the_fewest_from_the_model_in_service(made):
    made.put(service("old", 4, 8))
    made.autoscaler(PREDICTOR)
    made.put(with_candidate(service("old", 4, 8), service("new", 2, 5), 50))
    assert limits(made.autoscaler(CANDIDATE))[:2] == (2, 2)
    wait_for(lambda: limits(made.autoscaler(PREDICTOR)) == (2, 8, 100))


def test_keda_is_asked_to_look_at_the_cpu_and_at_the_queue(made):
    made.put(service("old", 2, 5, "queue", 3))
    scaled = made.scaled_object(PREDICTOR)
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (2, 5)
    cpu, queue = scaled["triggers"]
    expected = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "100"}}
    assert cpu == expected
    assert queue["type"] == "prometheus"
    assert queue["metadata"]["serverAddress"] == PROMETHEUS
    assert queue["metadata"]["threshold"] == "3"


def test_this_kserve_makes_no_candidate_where_keda_scales(made):
    old = service("old", 2, 5, "queue")
    made.put(old)
    made.scaled_object(PREDICTOR)
    assert not has_candidates(made.cluster, "emotion")
    made.put(with_candidate(old, service("new", 2, 5, "queue"), 10))
    wait_for(lambda: any("triggers" in str(each) for each in made.cluster.warnings("emotion")))


def test_kserve_refuses_what_the_settings_refuse(made):
    concurrency = service("old", 1, 3)
    concurrency["spec"]["predictor"] |= {"scaleMetric": "concurrency"}
    concurrency["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] = "hpa"
    with pytest.raises(ClusterError, match="concurrency"):
        made.put(concurrency)
    more = service("old", 1, 3)
    more["spec"]["predictor"]["minReplicas"] = 4
    with pytest.raises(ClusterError, match="MinReplicas"):
        made.put(more)
