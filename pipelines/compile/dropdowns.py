"""Dropdowns of KFP's run form: the values that a parameter takes, in the compiled pipeline."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from components.deploy.settings import TARGETS
from components.evaluate.gate import shipped_gates
from components.generate.style import shipped_styles
from components.train.settings import METHODS


def choices() -> dict[str, Sequence[str]]:
    """Values of the parameters with a dropdown, by name; KFP refuses a run with another one."""
    return {
        "generate_style": shipped_styles(),
        "train_peft_method": METHODS,
        "evaluate_gate": shipped_gates(),
        "deploy_target": TARGETS,
    }


def add_dropdowns(spec: PipelineSpec, values: Mapping[str, Any]) -> None:
    """Give parameters their choices, for which kfp's SDK has no word.

    Args:
        spec: The compiled pipeline; it may lack some of them.
        values: Parameter values to compile in; a file that is named there is one of the choices.

    Source: `literals` in kubeflow/pipelines, api/v2alpha1/pipeline_spec.proto
    """
    parameters = spec.root.input_definitions.parameters
    for name, offered in choices().items():
        if name not in parameters:
            continue
        parameter = parameters[name]
        value = values.get(name, parameter.default_value.string_value)
        every = offered if value in offered else [*offered, value]
        parameter.literals.extend(Value(string_value=each) for each in every)
