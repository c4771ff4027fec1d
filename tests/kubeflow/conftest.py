"""The Kubeflow that the command line names."""

import secrets
import uuid
from collections.abc import Iterator

import pytest

from pipelines.compile.settings import PLAIN, read_settings
from pipelines.parameters import read_parameters
from pipelines.submit.links import ui_of
from tests.kubeflow.target import TOP, Target
from tests.kubeflow.traces import without_traces

_PASSED = ("params", "settings", "lock", "service-account")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kubeflow")
    for name in ("host", "ui", "ui-user", "namespace", "set", *_PASSED):
        group.addoption(f"--kubeflow-{name}", default="")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """The Kubeflow; its runs have a seed and a registry of their own, so nothing old is reused."""

    def given(name: str) -> str:
        return str(request.config.getoption(f"--kubeflow-{name}"))

    for name in ("host", "namespace"):
        assert given(name), f"say where Kubeflow is: make test-kubeflow {name.upper()}=..."
    ui = given("ui") or ui_of(given("host"))
    assert ui, f"{given('host')} shows no page: say where Kubeflow's UI is, with UI=..."
    settings = read_settings(TOP / given("settings")) if given("settings") else PLAIN
    params = TOP / given("params") if given("params") else None
    values = read_parameters(params, [given("set")], settings.parameters)
    name = f"test-kubeflow-{uuid.uuid4().hex[:8]}"
    registry = f"{values['deploy_registry'].rstrip('/')}/{name}"
    own = f"seed={secrets.randbelow(2**31)} deploy_registry={registry}"
    made = Target(
        host=given("host"),
        namespace=given("namespace"),
        name=name,
        ui=ui,
        user=given("ui-user"),
        options=tuple(
            part for name in _PASSED if given(name) for part in (f"--{name}", given(name))
        ),
        assignments=f"deploy_target=kserve {given('set')} {own}",
        service=values["deploy_service_name"],
    )
    with without_traces(made):
        yield made
