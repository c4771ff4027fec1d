"""What an encoder can read: found out by trying, before it is trained."""

from bisect import bisect_left
from typing import Any

import torch

from components.errors import InputError
from components.train.methods.declared import SHORTEST, no_padding, too_long

# No vocabulary has these as a word or as letters: Tangut, Linear A and a private character.
_STRANGE = "\U00017000 \U00010600 \ue000"


def require_readable(name: str, model: Any, tokenizer: Any, max_length: int) -> None:
    """Refuse an encoder that cannot read every text that its tokenizer may give it.

    Args:
        name: The encoder, for messages.
        model: A classifier, with an adapter or without.
        tokenizer: Its tokenizer.
        max_length: Most tokens of a text, at least 8.

    Raises:
        InputError: If there is no padding token, a text may have no tokens, a token may have no
            embedding, or texts of this length cannot be read.
    """
    if tokenizer.pad_token_id is None:
        raise no_padding(name)
    _require_tokens(name, tokenizer)
    _require_embeddings(name, model, tokenizer)
    if not _failure(model, tokenizer.pad_token_id, max_length):
        return
    if reason := _failure(model, tokenizer.pad_token_id, SHORTEST):
        raise InputError(name, f"cannot read texts ({reason})", "Choose another base model")
    lengths = range(SHORTEST, max_length)
    first = bisect_left(
        lengths, True, key=lambda length: bool(_failure(model, tokenizer.pad_token_id, length))
    )
    raise too_long(name, max_length, lengths[first - 1])


def _require_tokens(name: str, tokenizer: Any) -> None:
    """Refuse a tokenizer for which there are texts without any token, or that it cannot read."""
    try:
        empty, _ = tokenizer.backend_tokenizer.encode_batch(["", _STRANGE])
    except Exception as error:  # It raises no more precise one.
        rule = f"has a tokenizer that cannot read every text ({error})"
        raise InputError(name, rule, "Give its tokenizer.json an unknown token") from error
    if not empty.ids:
        rule = "has a tokenizer that adds no special tokens, which some texts have nothing but"
        raise InputError(name, rule, "Give its tokenizer.json a post_processor that adds them")


def _require_embeddings(name: str, model: Any, tokenizer: Any) -> None:
    known = len(model.get_input_embeddings().weight)
    unknown = {place: token for token, place in tokenizer.get_vocab().items() if place >= known}
    if unknown:
        place = min(unknown)
        rule = f"has {known} embeddings, but a tokenizer with {unknown[place]!r} as token {place}"
        fix = "Call model.resize_token_embeddings, or use the model's own tokenizer"
        raise InputError(name, rule, fix)


def _failure(model: Any, pad_id: int, length: int) -> str:
    """Read a text of a number of tokens next to a shorter one: what goes wrong, empty if nothing.

    The weights do not matter, and no random numbers are drawn.
    """
    # Any token but the one for padding, which some encoders do not count, also where it is not the
    # tokenizer's.
    uncounted = {pad_id, getattr(model.config, "pad_token_id", None)}
    ids = torch.full((2, length), min({0, 1, 2} - uncounted))
    ids[1, -1] = pad_id
    mask = torch.ones_like(ids)
    mask[1, -1] = 0
    device = next(model.parameters()).device
    try:
        with torch.no_grad():
            model.eval()(input_ids=ids.to(device), attention_mask=mask.to(device))
    except Exception as error:  # noqa: BLE001 (every architecture has errors of its own)
        reason = str(error).partition("\n")[0] or type(error).__name__
        return f"{reason:.200}"
    return ""
