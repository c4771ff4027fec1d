"""Settings from loosely typed values: a parameter file, a command line, a pipeline's JSON."""

import difflib
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, fields
from typing import Any, ClassVar, Protocol, TypeVar, get_origin

from components.data_files import parse_yaml
from components.errors import InputError

Settings = TypeVar("Settings")


class StepSettings(Protocol):
    """A settings dataclass of a step of the pipeline."""

    STEP: ClassVar[str]
    """Name of the step, with which the names of its parameters begin."""


Step = TypeVar("Step", bound=StepSettings)


def shared(parameter: str, default: str | int) -> Any:
    """A field of step settings whose parameter does not begin with the name of the step."""
    return field(default=default, metadata={"parameter": parameter})


def settings_of(kind: type[Step], **parameters: Any) -> Step:
    """Make the settings of a step from parameters of the pipeline.

    The field `epochs` of `TrainSettings` is the parameter `train_epochs`: the name of the step,
    then the name of the field. A field that is `shared` says which parameter it is. Every field
    that is not given so may be given by its own name in `train_options`.

    Args:
        kind: The settings dataclass.
        parameters: Values by parameter; those of other steps are ignored, so that preflight can
            hand over all of them.

    Raises:
        InputError: If a parameter of the step is unknown or has the wrong type, or the settings
            refuse it.
    """
    step, types = kind.STEP, {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    options = f"{step}_options"
    names = {each.metadata.get("parameter", f"{step}_{name}"): name for name, each in types.items()}
    for parameter in parameters:
        if parameter.startswith(f"{step}_") and parameter != options:
            require_known(parameter, names, "parameter")
    given = {
        name: of_type(parameter, parameters[parameter], types[name].type)
        for parameter, name in names.items()
        if parameter in parameters
    }
    try:
        return with_options(kind, parameters.get(options, {}), **given)
    except InputError as error:
        field_name, equals, value = error.thing.partition("=")
        parameter = next((each for each, name in names.items() if name == field_name), "")
        if not equals or parameter not in parameters:
            raise
        # The settings know their fields; the user knows the parameters.
        raise InputError(f"{parameter}={value}", error.rule, error.fix) from error


def with_options(kind: type[Settings], options: Mapping[str, Any], **given: Any) -> Settings:
    """Make settings from values that are parameters of their own and a mapping of the others.

    Args:
        kind: A settings dataclass.
        options: Further fields of it by name.
        given: Fields that may not stand in `options` as well.

    Raises:
        InputError: If an option is unknown or has the wrong type, or the settings refuse it.
    """
    types = {each.name: each.type for each in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        require_known(str(name), [each for each in types if each not in given], "option")
    typed = {name: of_type(name, value, types[name]) for name, value in options.items()}
    return kind(**given, **typed)


def assign(values: dict[str, Any], given: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    """Set parameters in place, or single options of them, as in `train_options.lora_rank`.

    Args:
        values: Values by parameter.
        given: New values by parameter, or by parameter, dot and option.
        types: Type of every parameter.

    Raises:
        InputError: If a parameter is unknown, has the wrong type or has no options.
    """
    for name, value in given.items():
        group, dot, option = name.partition(".")
        require_known(group, types, "parameter")
        if not dot:
            values[name] = of_type(name, value, types[name])
        elif isinstance(values.get(group), dict):
            values[group] = {**values[group], option: value}
        else:
            rule = f"sets an option of {group}, which has none"
            raise InputError(f"parameter {name!r}", rule, f"Write {group}=value")


def read_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` assignments from a command line; later ones win.

    Args:
        texts: Each holds one or more assignments, quoted and separated as a shell does it; the
            values are YAML, of which JSON is a part.

    Raises:
        InputError: If a text is not an assignment, or a value is not valid YAML.
    """
    values = {}
    for text in texts:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise InputError(
                f"--set {text!r}", f"cannot be split: {error}", "Close the quotation mark"
            ) from error
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not name:
                raise InputError(
                    f"--set {word!r}",
                    "must read name=value",
                    "Add the name and =, and quote a value with spaces",
                )
            values[name] = parse_yaml(value, f"--set {word!r}")
    return values


def require_known(name: str, known: Collection[str], what: str) -> None:
    """Refuse a name that is not known; the message offers the nearest ones.

    Raises:
        InputError: If it is not known.
    """
    if name not in known:
        # A name without its first word, such as an old parameter's, is not close but meant.
        longer = [each for each in known if each.split("_", 1)[1:] == [name]]
        near = longer or difflib.get_close_matches(name, known, n=3)
        fix = f"Did you mean {' or '.join(near)}" if near else f"Use one of {', '.join(known)}"
        raise InputError(f"{what} {name!r}", "is not known", fix)


def of_type(name: str, value: Any, wanted: Any) -> Any:
    """A value in the type it should have, if nothing is lost by that.

    Whole numbers may come as floats, as JSON brings them, and as floats are wanted.

    Raises:
        InputError: If it has another type.
    """
    plain = get_origin(wanted) or wanted
    if plain is float and type(value) is int:
        return float(value)
    if plain is int and type(value) is float and value.is_integer():
        return int(value)
    if plain is str and value is None:
        return ""
    if not isinstance(value, plain) or (type(value) is bool and plain is not bool):
        rule = f"must be {plain.__name__}, not {type(value).__name__}"
        raise InputError(f"{name}={value!r}", rule, "Change its value")
    return value
