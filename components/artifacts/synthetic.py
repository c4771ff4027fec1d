"""The synthetic sentences of one LLM.

generate writes a folder of two files, which merge reads:

| file | content |
| --- | --- |
| `synthetic_emotions.json` | a list of the accepted sentences: `text`, `label` and their origin |
| `ledger.jsonl` | all that was asked and answered, and every verdict: see `ledger_lines` |
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components import storage
from components.data_files import read_json
from components.errors import InputError

SENTENCES = "synthetic_emotions.json"
LEDGER = "ledger.jsonl"
RECORDED = "recorded:"
"""Begins the reference of a model whose sentences were replayed from a ledger."""

LABEL_PROBABILITIES = "label_probabilities"
"""Field of a sentence: the probability of each label by name, as a judge sees it."""


def write_sentences(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write accepted sentences, so that the file is complete or not there."""
    with storage.staged(folder / SENTENCES) as draft:
        draft.write_text(json.dumps(list(rows), indent=1) + "\n", encoding="utf-8")


def read_sentences(folder: Path) -> list[dict[str, Any]]:
    """Read accepted sentences; their texts and labels are for the reader to check.

    Raises:
        InputError: If the file is missing, or does not hold a list of objects.
    """
    path, fix = folder / SENTENCES, "Give the folder that generate wrote"
    rows = read_json(path, fix)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(str(path), "must hold a list with one object per sentence", fix)
    return rows
