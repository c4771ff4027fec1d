"""The example of an LLM as a service of the cluster; no GPU here has run it."""

import re

import pytest
import yaml

from components.generate.engines import parse_model
from pipelines.emotion import MISTRAL
from tests.manifests.network import Peer, allowed
from tests.manifests.pod_security import violations
from tests.manifests.rendering import MANIFESTS, OVERLAYS, named, of_kind, overlay
from tests.manifests.schemas import KUBERNETES, errors
from tests.manifests.test_network_policies import (
    DNS,
    ELSEWHERE,
    INTERNET,
    PREDICTOR,
    STEP,
    STRANGER,
)

PATH = MANIFESTS / "examples" / "llm-service.yaml"
RESOURCES = tuple(yaml.safe_load_all(PATH.read_text(encoding="utf-8")))
DEPLOYMENT = named(RESOURCES, "Deployment", "mistral")
LLM = Peer("emotion", DEPLOYMENT["spec"]["template"]["metadata"]["labels"])


@pytest.mark.parametrize("version", KUBERNETES)
def test_an_api_server_takes_it(version):
    assert [errors(each, version) for each in RESOURCES] == [[] for _ in RESOURCES]


def test_its_pod_meets_the_standard():
    assert violations(DEPLOYMENT["spec"]["template"]["spec"]) == set()


def test_it_serves_the_pipelines_own_llm_where_the_comment_says():
    (container,) = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
    model, revision = container["args"][:2]
    assert f"{model}@{revision.removeprefix('--revision=')}" == MISTRAL
    (asked,) = re.findall(r'generate_models=\["(.+)"\]', PATH.read_text(encoding="utf-8"))
    found, service = parse_model(asked), named(RESOURCES, "Service", "mistral")
    assert found.revision == model
    place, port = service["metadata"], service["spec"]["ports"][0]["port"]
    assert found.location == f"http://{place['name']}.{place['namespace']}.svc:{port}/v1"
    assert service["spec"]["selector"].items() <= LLM.labels.items()


@pytest.mark.parametrize("name", OVERLAYS)
def test_steps_alone_ask_it_and_it_reaches_the_hub(name):
    before = of_kind(overlay(name), "NetworkPolicy")
    policies = [*before, *of_kind(RESOURCES, "NetworkPolicy")]
    assert not allowed(before, STEP, LLM, 8000)
    assert allowed(policies, STEP, LLM, 8000)
    for other in (PREDICTOR, STRANGER, ELSEWHERE):
        assert not allowed(policies, other, LLM, 8000)
    assert allowed(policies, LLM, INTERNET, 443)
    assert allowed(policies, LLM, DNS, 53)
    assert not allowed(policies, LLM, STEP, 8000)
