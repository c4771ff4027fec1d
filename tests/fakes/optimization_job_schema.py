"""The fields and rules of Trainer's OptimizationJob, which no package of a release has yet.

Written after optimizationjob_types.go of kubeflow/trainer in August 2026, after release 2.3.0. It
leaves the TrainJob inside to the released package's own type, and cannot show what a controller
does, of which there is none. A real API server with the definition of that day took what this takes
and refused what this refuses; once a release has the kind, its own type replaces this.
"""

from typing import Any

import jsonschema

_NUMBER = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 100}


def _object(*required: str, **fields: Any) -> dict[str, Any]:
    """A schema of an object without other fields."""
    properties = {"properties": fields, "required": list(required)}
    return {"type": "object", "additionalProperties": False, **properties}


def _one_of(**fields: Any) -> dict[str, Any]:
    return {**_object(**fields), "minProperties": 1, "maxProperties": 1}


_NAME = {"type": "string", "minLength": 1, "maxLength": 64}
_RANGE = _object("min", "max", min=_NUMBER, max=_NUMBER, type={"enum": ["Int", "Float"]})
_CHOICES = {"type": "array", "uniqueItems": True, "minItems": 1, "maxItems": 100}
_SPACE = _one_of(
    uniform=_RANGE,
    logUniform=_RANGE,
    categorical=_object("choices", choices={**_CHOICES, "items": {**_NAME, "minLength": 0}}),
)
_SCHEMA = _object(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "trainer.kubeflow.org/v1alpha1"},
    kind={"const": "OptimizationJob"},
    metadata=_object("name", name={"type": "string"}),
    spec=_object(
        *("objectives", "parameters", "trainJobTemplate"),
        objectives={
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": _object("metric", metric=_NAME, direction={"enum": ["Maximize", "Minimize"]}),
        },
        searchAlgorithm=_one_of(random=_object(seed={"type": "integer"}), grid=_object()),
        parameters={
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": _object("name", "searchSpace", name=_NAME, searchSpace=_SPACE),
        },
        numTrials=_COUNT,
        parallelTrials=_COUNT,
        trainJobTemplate=_object("spec", metadata={"type": "object"}, spec={"type": "object"}),
    ),
)


def refusals(job: dict[str, Any]) -> list[str]:
    """What an API server would refuse or drop, except inside of the TrainJob."""
    found = [each.message for each in jsonschema.Draft202012Validator(_SCHEMA).iter_errors(job)]
    return found or list(_broken(job["spec"]))


def _broken(spec: dict[str, Any]) -> Any:
    """The rules that span fields."""
    spaces = [each["searchSpace"] for each in spec["parameters"]]
    if spec.get("parallelTrials", 1) > spec.get("numTrials", 1):
        yield "parallelTrials cannot exceed numTrials"
    if "grid" in spec.get("searchAlgorithm", {}) and not all(
        "categorical" in each for each in spaces
    ):
        yield "a grid takes choices only"
    for name, limits in (item for each in spaces for item in each.items() if "min" in item[1]):
        if float(limits["min"]) >= float(limits["max"]):
            yield "min must be strictly less than max"
        if name == "logUniform" and float(limits["min"]) <= 0:
            yield "min must be strictly greater than 0"
