"""The search space: settings that a search may change, and their ranges."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from components.data_files import read_mapping, require_mapping
from components.errors import InputError, require_one_of
from components.options import require_known, with_options
from components.train.settings import TrainSettings, on_one_node

SPACE = Path(__file__).with_name("space.yaml")
"""The search space that comes with the project."""

METRIC = "validation_macro_f1"
"""The name under which a training reports the score that a search maximises."""

KINDS = ("float", "int", "categorical")
_MOST_TRIED = 10_000


@dataclass(frozen=True)
class Parameter:
    """A setting and the values it may take.

    Args:
        name: Field of `TrainSettings`.
        kind: One of `KINDS`.
        low: Smallest value of a `float` or `int`.
        high: Largest value of a `float` or `int`.
        log: Draw every order of magnitude equally often; `low` must be above 0.
        choices: Values of a `categorical`, at least two.
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        require_one_of("kind", self.kind, KINDS)
        if self.kind == "categorical":
            self._require_choices()
        else:
            self._require_range()

    def _require_choices(self) -> None:
        simple = all(isinstance(each, str | int | float | bool) for each in self.choices)
        different = len(set(map(str, self.choices)))
        if different < max(2, len(self.choices)) or not simple:
            rule = "must list two or more different numbers or words, each once"
            raise InputError(f"choices={self.choices}", rule, "Change the list")
        if self.low or self.high or self.log:
            raise InputError("choices", "have a range beside them", "Leave the range out")

    def _require_range(self) -> None:
        if self.choices:
            raise InputError("choices", f"are beside kind={self.kind!r}", "Give low and high")
        if not self.low < self.high:
            rule = f"must be below high={self.high:g}"
            raise InputError(f"low={self.low:g}", rule, "Change the range")
        if self.log and self.low <= 0:
            raise InputError(f"low={self.low:g}", "log needs a range above 0", "Raise low")
        if self.kind == "int" and not (
            float(self.low).is_integer() and float(self.high).is_integer()
        ):
            rule = "must be whole numbers for an int"
            raise InputError(f"low={self.low:g}, high={self.high:g}", rule, "Round them")

    def texts(self) -> list[str]:
        """Write its smallest and largest value, or its choices, as `--set` reads them."""
        values = self.choices or [self.low, self.high]
        return [json.dumps(int(each) if self.kind == "int" else each) for each in values]

    def examples(self) -> Iterator[Any]:
        """Values that the settings must accept: all of them, or a sample if they are many."""
        if self.kind == "categorical":
            yield from self.choices
        elif self.kind == "int":
            step = max(1, (int(self.high) - int(self.low)) // _MOST_TRIED)
            yield from range(int(self.low), int(self.high), step)
            yield int(self.high)
        else:
            yield from (self.low, self.high)


def read_space(uri: str, settings: TrainSettings) -> list[Parameter]:
    """Read a search space, and refuse values that the train step would refuse later.

    Args:
        uri: Path or URI of a YAML file that maps each setting to the fields of a `Parameter`.
        settings: The settings that are not searched.

    Raises:
        InputError: If the file cannot be read, or a name, kind or range cannot be used.
    """
    content = read_mapping(uri, "search space")
    if not content:
        fix = f"See {SPACE.name} of components/train/search"
        raise InputError(f"search space {uri}", "holds no settings", fix)
    parameters = [_parameter(name, options) for name, options in content.items()]
    for parameter in parameters:
        for value in parameter.examples():
            with_values(settings, {parameter.name: value})
    return parameters


def with_values(settings: TrainSettings, values: Mapping[str, Any]) -> TrainSettings:
    """Settings with some of them changed.

    Raises:
        InputError: If a value has the wrong type, or the settings refuse it.
    """
    return with_options(TrainSettings, {**asdict(settings), **values})


def for_trial(settings: TrainSettings) -> TrainSettings:
    """Settings of one training whose model is thrown away.

    Its checkpoints need no copies, and its int8 model need not agree with the float32 model.
    """
    alone = on_one_node(settings)
    return replace(
        alone, checkpoint_uri="", min_int8_agreement=0.0, search_trials=0, ablation=False
    )


def _parameter(name: str, options: Any) -> Parameter:
    types = {each.name: each.type for each in fields(TrainSettings)}
    require_known(name, types, "setting")
    if "kind" not in require_mapping(options, f"search space: {name}"):
        raise InputError(f"search space: {name}", "has no kind", f"Use one of {', '.join(KINDS)}")
    if options["kind"] == "float" and types[name] is not float:
        thing = f"search space: {name}: kind='float'"
        raise InputError(thing, "is for numbers with decimals", "Use another")
    try:
        return with_options(Parameter, options, name=name)
    except InputError as error:
        thing = f"search space: {name}: {error.thing}"
        raise InputError(thing, error.rule, error.fix) from error
