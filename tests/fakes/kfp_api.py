"""An API server of Kubeflow Pipelines that keeps what it is sent and runs nothing.

Requests and answers go through the models of kfp_server_api, KFP's own generated client: a field
that the real API does not have is refused, and so is a run with a parameter that its pipeline has
not. It answers for KFP's plugins what a test puts there. What it shows of a run's Workflow and logs
is what a test puts there. It cannot show that KFP runs the pipeline, nor that its older API and its
logs look like this: tests/kubeflow/test_kubeflow.py asks a real Kubeflow.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import flask
import kfp_server_api as api
import yaml
from kfp import components
from werkzeug.serving import make_server

from tests.fakes.argo_run import ArgoRun

_ROOT = "/apis/v2beta1"
_SERIALISER = api.ApiClient()


class FakeKfp:
    """What the server knows.

    Args:
        steps: What a run's step is told to be in, look by look; the last is also the run's end.
    """

    def __init__(self, steps: Sequence[str] = ("PENDING", "RUNNING", "SUCCEEDED")) -> None:
        self.steps = steps
        self.outages = 0
        self.looks = 0
        self.token = ""
        self.has_task_details = True
        self.argo: ArgoRun | None = None
        self.started = datetime.now(UTC)
        self.plugins_output: dict[str, api.V2beta1PluginOutput] | None = None
        self.page = ""
        self.instead: tuple[Any, ...] | None = None
        self.pipelines: list[api.V2beta1Pipeline] = []
        self.versions: list[api.V2beta1PipelineVersion] = []
        self.specs: dict[str, object] = {}
        self.experiments: list[api.V2beta1Experiment] = []
        self.runs: list[api.V2beta1Run] = []
        self.recurring: list[api.V2beta1RecurringRun] = []

    def create_pipeline(self):
        return _keep(self.pipelines, _received("V2beta1Pipeline"), "pipeline_id")

    def list_pipelines(self):
        return api.V2beta1ListPipelinesResponse(pipelines=_filtered(self.pipelines))

    def upload_version(self):
        pipeline_id, name = flask.request.args["pipelineid"], flask.request.args["name"]
        assert pipeline_id in {each.pipeline_id for each in self.pipelines}
        text = flask.request.files["uploadfile"].read().decode()
        version = api.V2beta1PipelineVersion(
            pipeline_id=pipeline_id, display_name=name, name=name, pipeline_spec=_spec(text)
        )
        _keep(self.versions, version, "pipeline_version_id")
        self.specs[version.pipeline_version_id] = components.load_component_from_text(text)
        return version

    def list_versions(self, pipeline_id):
        if "filter" in flask.request.args:
            listed = _filtered(self.versions)
        else:
            assert flask.request.args["sort_by"] == "created_at desc"
            listed = self.versions[::-1][: int(flask.request.args["page_size"])]
        found = [each for each in listed if each.pipeline_id == pipeline_id]
        return api.V2beta1ListPipelineVersionsResponse(pipeline_versions=found)

    def create_experiment(self):
        return _keep(self.experiments, _received("V2beta1Experiment"), "experiment_id")

    def list_experiments(self):
        return api.V2beta1ListExperimentsResponse(experiments=_filtered(self.experiments))

    def create_run(self):
        run = _received("V2beta1Run")
        self._check_parameters(run)
        run.plugins_output = self.plugins_output
        return _keep(self.runs, run, "run_id")

    def list_runs(self):
        return api.V2beta1ListRunsResponse(runs=self.runs)

    def get_run(self, run_id):
        (run,) = (each for each in self.runs if each.run_id == run_id)
        if self.outages:
            self.outages -= 1
            flask.abort(503)
        state = self.steps[min(self.looks, len(self.steps) - 1)]
        self.looks += 1
        tasks = [("root", "RUNNING"), ("train-driver", "SUCCEEDED"), ("train", state)]
        if self.has_task_details:
            run.run_details = api.V2beta1RunDetails(
                task_details=[
                    api.V2beta1PipelineTaskDetail(
                        task_id=name, display_name=name, state=state, start_time=self.started
                    )
                    for name, state in tasks
                ]
            )
        run.state = state
        return run

    def get_old_run(self, run_id):
        if not self.argo:
            flask.abort(404)
        kind = "workflow_manifest" if self.argo.nodes else "pipeline_manifest"
        runtime = {kind: json.dumps(self.argo.content())}
        return {"run": {"id": run_id}, "pipeline_runtime": runtime}

    def get_log(self, run_id, pod):
        refusal = json.dumps({"error_message": f"no log of {pod} in {run_id}"})
        return (self.argo and self.argo.logs.get(pod)) or refusal

    def create_recurring_run(self):
        recurring = _received("V2beta1RecurringRun")
        self._check_parameters(recurring)
        return _keep(self.recurring, recurring, "recurring_run_id")

    def list_recurring_runs(self):
        experiment = flask.request.args["experiment_id"]
        found = [each for each in _filtered(self.recurring) if each.experiment_id == experiment]
        return api.V2beta1ListRecurringRunsResponse(recurring_runs=found)

    def disable_recurring_run(self, recurring_run_id):
        for each in self.recurring:
            if each.recurring_run_id == recurring_run_id:
                each.mode = "DISABLE"

    def delete_recurring_run(self, recurring_run_id):
        self.recurring = [
            each for each in self.recurring if each.recurring_run_id != recurring_run_id
        ]

    def healthz(self):
        return api.V2beta1GetHealthzResponse(multi_user=False)

    def _check_parameters(self, run):
        version = run.pipeline_version_reference.pipeline_version_id
        unknown = set(run.runtime_config.parameters) - set(
            self.specs[version].component_spec.inputs
        )
        if unknown:
            flask.abort(400, f"unknown parameters {sorted(unknown)}")


def _spec(text):
    """A version's specification, as YamlStringToPipelineSpecStruct in KFP's API server makes it."""
    pipeline, *platform = yaml.safe_load_all(text)
    return {"pipeline_spec": pipeline, "platform_spec": platform[0]} if platform else pipeline


@contextmanager
def serving(fake: FakeKfp) -> Iterator[str]:
    """Have the server during a block; yields its URL."""
    server = make_server("127.0.0.1", 0, _application(fake), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _application(fake):
    application = flask.Flask("kfp")
    routes = {
        ("GET", "healthz"): fake.healthz,
        ("POST", "pipelines"): fake.create_pipeline,
        ("GET", "pipelines"): fake.list_pipelines,
        ("POST", "pipelines/upload_version"): fake.upload_version,
        ("GET", "pipelines/<pipeline_id>/versions"): fake.list_versions,
        ("POST", "experiments"): fake.create_experiment,
        ("GET", "experiments"): fake.list_experiments,
        ("POST", "runs"): fake.create_run,
        ("GET", "runs"): fake.list_runs,
        ("GET", "runs/<run_id>"): fake.get_run,
        ("POST", "recurringruns"): fake.create_recurring_run,
        ("GET", "recurringruns"): fake.list_recurring_runs,
        ("POST", "recurringruns/<recurring_run_id>:disable"): fake.disable_recurring_run,
        ("DELETE", "recurringruns/<recurring_run_id>"): fake.delete_recurring_run,
    }
    for (method, path), answer in routes.items():
        application.add_url_rule(
            f"{_ROOT}/{path}", f"{method} {path}", _answering(answer), methods=[method]
        )

    older = _answering(fake.get_old_run)
    application.add_url_rule("/apis/v1beta1/runs/<run_id>", "old run", older)
    application.add_url_rule("/apis/v1alpha1/runs/<run_id>/nodes/<pod>/log", "log", fake.get_log)
    application.add_url_rule("/", "page", lambda: fake.page or flask.abort(404))

    @application.before_request
    def answer_with_something_else():
        return fake.instead if flask.request.path != "/" else None

    @application.before_request
    def authenticate():
        given = flask.request.headers.get("Authorization", "")
        is_open = flask.request.path == f"{_ROOT}/healthz" or not fake.token
        if not is_open and given != f"Bearer {fake.token}":
            flask.abort(401)

    return application


def _answering(answer):
    def view(**path):
        return flask.jsonify(_SERIALISER.sanitize_for_serialization(answer(**path)) or {})

    return view


def _received(model):
    body = flask.request.get_json()
    known = set(getattr(api, model).attribute_map.values())
    if unknown := set(body) - known:
        flask.abort(400, f"{model} has no {sorted(unknown)}")
    return _SERIALISER.deserialize(SimpleNamespace(data=json.dumps(body)), model)


def _keep(kept, thing, key):
    setattr(thing, key, f"{key}-{len(kept) + 1}")
    kept.append(thing)
    return thing


def _filtered(kept):
    (wanted,) = json.loads(flask.request.args["filter"])["predicates"]
    assert (wanted["operation"], wanted["key"]) == (1, "display_name")
    return [each for each in kept if each.display_name == wanted["stringValue"]]
