"""Deploys that are killed, race each other, or lose the API server."""

import time

import pytest

from components.deploy.cluster.api import LEASES
from components.deploy.inference_service import facts_of
from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.site import PREDICTOR, Site, wait_for
from tests.cluster.real.site import is_ready as pod_is_ready

pytestmark = pytest.mark.cluster


def has_lease(site: Site, run: str) -> bool:
    lease = site.cluster.read(LEASES, "emotion-deploy")
    return lease is not None and lease["spec"].get("holderIdentity") == run


def is_applied(site: Site, run: str) -> bool:
    service = site.service()
    return service is not None and facts_of(service).get("run") == run


def is_ready(site: Site, run: str) -> bool:
    pods = site.core.list_namespaced_pod(NAMESPACE, label_selector=PREDICTOR).items
    return any(
        each.metadata.annotations.get("emotion-pipeline/run") == run and pod_is_ready(each)
        for each in pods
    )


@pytest.mark.parametrize("stage", [has_lease, is_applied, is_ready])
def test_a_deploy_whose_pod_is_killed_is_put_right_by_the_next_try(served, stage):
    model = served.other()
    call = served.deploy_call(model)
    pod = served.start(call)
    wait_for(lambda: stage(served, served.runs[model]))
    served.core.delete_namespaced_pod(pod, NAMESPACE, grace_period_seconds=0)
    again = served.run(call)
    assert again.succeeded, again.log
    served.require(model)


def test_of_two_deploys_at_once_one_is_refused(served):
    models = ("old", "new")
    calls = [served.deploy_call(model) for model in models]
    pods = [served.start(call) for call in calls]
    ended = [served.end_of(pod) for pod in pods]
    assert sorted(each.succeeded for each in ended) == [False, True], [x.log for x in ended]
    served.require(models[0] if ended[0].succeeded else models[1])


def test_an_api_server_that_restarts_meanwhile_does_not_matter(served):
    model = served.other()
    pod = served.start(served.deploy_call(model))
    wait_for(lambda: is_applied(served, served.runs[model]))
    served.node.server.kill()
    time.sleep(5)
    served.node.server.start()
    ended = served.end_of(pod)
    assert ended.succeeded, ended.log
    served.require(model)
