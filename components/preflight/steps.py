"""The settings of every step, from the values of the pipeline's parameters."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from components.deploy.settings import DeploySettings
from components.evaluate.settings import EvaluateSettings
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.options import Settings, with_options
from components.train.settings import TrainSettings

OPTIONS: Mapping[type, str] = {
    GenerateSettings: "generate_options",
    MergeSettings: "merge_options",
    TrainSettings: "train_options",
    EvaluateSettings: "evaluate_options",
    DeploySettings: "deploy_options",
}
"""The parameter that holds those settings of a step which are no parameters themselves."""


def settings_of(kind: type[Settings], values: Mapping[str, Any], **more: Any) -> Settings:
    """The settings of a step from the values of all parameters.

    Args:
        kind: The step's settings dataclass.
        values: A value for every parameter of the pipeline.
        more: Fields that are no parameters.

    Raises:
        InputError: If the step would refuse them.
    """
    names = {field.name for field in fields(kind)} & set(values)  # type: ignore[arg-type]
    options = values.get(OPTIONS.get(kind, ""), {})
    return with_options(kind, options, **{name: values[name] for name in names}, **more)
