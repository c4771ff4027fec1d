"""What an encoder's small files declare, read without its weights: what training would refuse.

Nothing here needs torch or transformers, so that it is found out before a run.
"""

import json
from collections.abc import Callable, Collection, Mapping
from importlib import resources
from typing import Any

from components.errors import InputError, require_between
from components.train.methods.attachments import ATTACHMENTS, require_known_modules
from components.train.settings import TrainSettings

SHORTEST = 8
"""Tokens of the shortest text that every encoder has to read."""

WEIGHTS = "model.safetensors"
"""File of an encoder's weights."""

_CONFIG, _TOKENIZER = "config.json", "tokenizer.json"
FILES = (WEIGHTS, _CONFIG, _TOKENIZER)
"""The files that a folder of an encoder must have."""

_SHARDS = f"{WEIGHTS}.index.json"
_TOKENIZER_CONFIG, _SPECIAL_TOKENS = "tokenizer_config.json", "special_tokens_map.json"
_UNBOUNDED = 10**30
_POSITIONS = 512
_COUNTED_FROM_PADDING = {"roberta", "xlm-roberta", "mpnet"}
"""Their positions begin after the id of the padding token."""
_WITHOUT_PADDING = {"PreTrainedTokenizerFast", "TokenizersBackend"}
"""Tokenizer classes that know no padding token of their own."""

Read = Callable[[str], bytes]
"""Gives the content of a file of an encoder by its name; b"" if it has none."""


def require_files(name: str, present: Collection[str], *, is_on_hub: bool = False) -> None:
    """Refuse an encoder that lacks a file which training reads.

    Args:
        name: The encoder, for messages.
        present: Names of its files.
        is_on_hub: Of a hub model weights in several files and other kinds of tokenizers load too.

    Raises:
        InputError: If one is missing, or a folder has its weights in several files.
    """
    if _SHARDS in present and WEIGHTS not in present:
        if is_on_hub:
            present = {*present, WEIGHTS}
        else:
            fix = "Save it with save_pretrained(..., max_shard_size='1TB')"
            raise InputError(name, "has its weights in several files", fix)
    needed = (WEIGHTS, _CONFIG) if is_on_hub else FILES
    for each in needed:
        if each not in present:
            fix = "Save model and fast tokenizer with save_pretrained"
            raise InputError(name, f"has no {each}", fix)


def require_declared(name: str, read: Read, settings: TrainSettings) -> None:
    """Refuse an encoder whose files say that it cannot be trained with these settings.

    Args:
        name: The encoder, for messages.
        read: Reads its files.
        settings: `max_length`, the method with its modules, and the layers of a student.

    Raises:
        InputError: If a file is damaged, transformers has no such classifier, its modules are not
            known, it has no padding token or too few layers, or texts of this length cannot be
            read.
    """
    config = _mapping(name, _CONFIG, read)
    _require_architecture(name, config)
    require_known_modules(str(config["model_type"]), settings)
    tokens = {**_mapping(name, _TOKENIZER_CONFIG, read), **_mapping(name, _SPECIAL_TOKENS, read)}
    most = tokens.get("model_max_length", tokens.get("max_len", _UNBOUNDED))
    require_max_length(name, settings.max_length, most)
    if not _has_padding(name, tokens, read):
        raise no_padding(name)
    layers = config.get("num_hidden_layers", config.get("n_layers"))
    layers = layers if isinstance(layers, int) else None
    require_student(name, config["model_type"], layers, settings)
    positions = positions_of(config)
    if positions is not None and settings.max_length > positions:
        raise too_long(name, settings.max_length, positions)


def require_max_length(name: str, max_length: int, most: Any) -> None:
    """Refuse texts that are longer than a tokenizer gives them.

    Args:
        name: The encoder, for messages.
        max_length: Most tokens of a text.
        most: `model_max_length` of the tokenizer.

    Raises:
        InputError: If it is exceeded, or is no number of tokens.
    """
    if not isinstance(most, int | float) or most < SHORTEST:
        rule = f"must be a number of tokens, at least {SHORTEST}"
        thing = f"{name}, model_max_length={most!r}"
        raise InputError(thing, rule, "Correct tokenizer_config.json")
    require_between("max_length", max_length, SHORTEST, most)


def require_student(name: str, model_type: str, layers: Any, settings: TrainSettings) -> None:
    """Refuse an encoder that the student which the settings ask for cannot be a part of.

    Args:
        name: The encoder, for messages.
        model_type: Its architecture.
        layers: Their number; None if it is not known.
        settings: `distill` and `student_layers`.

    Raises:
        InputError: If its layers are not known or too few.
    """
    if not settings.distill:
        return
    if model_type not in ATTACHMENTS:
        rule = f"is of type {model_type!r}, of which no student can be made"
        raise InputError(name, rule, f"Set distill=False, or use one of {', '.join(ATTACHMENTS)}")
    if layers is not None and settings.student_layers > layers:
        rule = f"is more than the {layers} layers of {name}"
        raise InputError(
            f"student_layers={settings.student_layers}", rule, f"Choose at most {layers}"
        )


def no_padding(name: str) -> InputError:
    """The error for a tokenizer without a padding token."""
    rule = "has a tokenizer without a padding token"
    return InputError(name, rule, "Set pad_token in tokenizer_config.json, and save it again")


def too_long(name: str, max_length: int, most: int) -> InputError:
    """The error for texts of more tokens than an encoder can read."""
    rule = f"exceeds the {most} tokens that {name} can read"
    return InputError(f"max_length={max_length}", rule, f"Choose at most {most}")


def positions_of(config: Mapping[str, Any]) -> int | None:
    """The most tokens that an encoder of a known architecture reads.

    Args:
        config: The encoder's config.json.

    Returns:
        None if it is not bound by its positions, or only trying tells.
    """
    model_type = config["model_type"]
    is_relative = model_type.startswith("deberta") and not config.get("position_biased_input", True)
    most = config.get("max_position_embeddings", _POSITIONS)
    if model_type not in ATTACHMENTS or is_relative or not isinstance(most, int):
        return None
    padding = config.get("pad_token_id", 1)
    is_shifted = model_type in _COUNTED_FROM_PADDING and isinstance(padding, int)
    return most - padding - 1 if is_shifted else most


def _require_architecture(name: str, config: Mapping[str, Any]) -> None:
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        rule = f"has no model_type in its {_CONFIG}"
        raise InputError(name, rule, "Save it again with save_pretrained")
    known = resources.files("components.train.methods").joinpath("architectures.txt")
    if model_type not in known.read_text("utf-8").split():
        needs_code = ", and code that comes with a model is not run" if "auto_map" in config else ""
        rule = f"is of type {model_type!r}, which transformers has no classifier of{needs_code}"
        raise InputError(name, rule, f"Use one of {', '.join(ATTACHMENTS)}")


def _has_padding(name: str, tokens: Mapping[str, Any], read: Read) -> bool:
    if "pad_token" in tokens:
        return tokens["pad_token"] is not None
    if tokens.get("tokenizer_class") in _WITHOUT_PADDING and read(_TOKENIZER):
        return _mapping(name, _TOKENIZER, read).get("padding") is not None
    return True


def _mapping(name: str, file: str, read: Read) -> dict[str, Any]:
    """The content of a JSON file; empty if there is none."""
    content = read(file)
    try:
        found = json.loads(content or b"{}")
    except ValueError as error:
        raise InputError(f"{name}, {file}", f"is not JSON: {error}", "Get it again") from error
    if not isinstance(found, dict):
        raise InputError(f"{name}, {file}", "must hold names and values", "Get it again")
    return found
