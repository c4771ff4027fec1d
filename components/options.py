"""Settings from loosely typed values: a parameter file, a command line, a pipeline's JSON."""

import difflib
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, fields
from types import MappingProxyType, UnionType
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin

from components.data_files import parse_scalar, parse_yaml
from components.errors import InputError

Settings = TypeVar("Settings")

_QUOTES = ('"', "'")
_BRACKETS = ("[", "{")


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


def option_types(*kinds: type[StepSettings]) -> dict[str, Any]:
    """Types of the options of steps by the names that set them: `train_options.lora_rank`."""
    return {
        f"{kind.STEP}_options.{each.name}": each.type
        for kind in kinds
        for each in fields(kind)  # type: ignore[arg-type]
    }


def read_assignments(
    texts: Iterable[str], types: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Read `name=value` assignments from a command line; later ones win.

    Args:
        texts: Each holds one or more assignments, quoted and separated as a shell does it. A value
            is a word, or in brackets or quotation marks YAML, of which JSON is a part.
        types: Types by name. A word is taken as it stands where text is wanted, so that a file
            may be called `rows #1.csv` or `@rows.csv`, and a commit `1234567`.

    Raises:
        InputError: If a text is not an assignment or not UTF-8, or brackets or quotation marks
            do not hold YAML.
    """
    values = {}
    for text in texts:
        for word in _words(text):
            name, equals, value = word.partition("=")
            if not equals or not name:
                fix = "Add the name and =, and quote a value with spaces"
                raise InputError(f"--set {word!r}", "must read name=value", fix)
            values[name] = _value(value, types.get(name), f"--set {word!r}")
    return values


def _words(text: str) -> list[str]:
    try:
        text.encode()
        return shlex.split(text)
    except UnicodeEncodeError as error:
        fix = "Write it in UTF-8, and rename a file whose name is not"
        raise InputError(f"--set {text!r}", "is not UTF-8", fix) from error
    except ValueError as error:
        fix = 'Close the quotation mark, or put a value that holds one into others: "it\'s.csv"'
        raise InputError(f"--set {text!r}", f"cannot be split: {error}", fix) from error


def _value(text: str, wanted: Any, thing: str) -> Any:
    if text.startswith(_QUOTES) or (wanted is not str and text.startswith(_BRACKETS)):
        try:
            return parse_yaml(text, thing)
        except InputError as error:
            fix = f"{error.fix}; put a value with spaces into quotation marks"
            raise InputError(thing, error.rule, fix) from error
    return text if wanted is str else parse_scalar(text)


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

    Whole numbers may come as floats, as JSON brings them, and as floats are wanted. A type with
    `| None` takes None as well.

    Raises:
        InputError: If it has another type.
    """
    if isinstance(wanted, UnionType):
        return None if value is None else of_type(name, value, get_args(wanted)[0])
    plain = get_origin(wanted) or wanted
    if plain is float and type(value) is int:
        return float(value)
    if plain is int and type(value) is float and value.is_integer():
        return int(value)
    if plain is str and value is None:
        return ""
    if not isinstance(value, plain) or (type(value) is bool and plain is not bool):
        rule = f"must be {plain.__name__}, not {type(value).__name__}"
        raise InputError(f"{name}={value!r}", rule, _notation(plain, value))
    return value


def _notation(wanted: type, value: Any) -> str:
    """How a value of a type is written."""
    if wanted is bool:
        return "Write true or false"
    if issubclass(wanted, str):
        is_scalar = isinstance(value, (bool, int, float))
        return "Put it into quotation marks" if is_scalar else "Write one text"
    if issubclass(wanted, Mapping):
        return "Write {name: value}"
    if issubclass(wanted, Sequence):
        return f"Write [{value}]" if isinstance(value, str) else "Write [one,two]"
    return "Write a whole number" if wanted is int else "Write a number"
