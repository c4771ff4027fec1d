"""Which candidates are good enough to train on, and why the others are not."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from components.generate.parse import Candidate
from components.task import Task
from components.text import fold

_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}
_MIN_WORDS = 3
_MAX_CHARACTERS = 2000
_MIN_LETTERS_SHARE = 0.7
_MAX_REPEATED_TRIPLES_SHARE = 0.1
_FINISHED = re.compile(r"[.!?\u2026][\"')\]]*$")
_ABOUT_THE_PROMPT = re.compile(
    r"\bas an ai\b|\blanguage model\b|\bjson\b"
    r"|\bi (?:cannot|can't|am unable to) (?:help|assist|fulfil|create)"
    r"|\bhere (?:are|is) (?:\w+ )?(?:texts?|sentences?|examples?)\b",
    re.IGNORECASE,
)


@dataclass
class Curator:
    """Judges candidates one after the other and remembers the accepted texts.

    Args:
        task: Its example texts count as seen, so an LLM that copies them earns nothing.
        max_characters: Where the server cuts a text off.
    """

    task: Task
    max_characters: int
    _seen: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = {fold(text) for label in self.task.labels for text in label.examples}

    def rejection(self, candidate: Candidate, label: str) -> str | None:
        """Why a candidate for a label is rejected; None accepts and remembers it."""
        faults = self._faults(candidate, label)
        reason = next((name for name, is_faulty in faults if is_faulty), None)
        if reason is None:
            self._seen.add(fold(candidate.text))
        return reason

    def _faults(self, candidate: Candidate, label: str) -> Iterator[tuple[str, bool]]:
        text = candidate.text
        claimed = candidate.label or label
        yield "control characters", any(unicodedata.category(c) in _CONTROL for c in text)
        yield "too short", len(text.split()) < _MIN_WORDS
        yield "too long", len(text) > _MAX_CHARACTERS
        yield "breaks off", len(text) >= self.max_characters and not _FINISHED.search(text)
        yield "not prose", _letters_share(text) < _MIN_LETTERS_SHARE
        yield "speaks of the prompt", bool(_ABOUT_THE_PROMPT.search(text))
        yield "repeats itself", _repeated_share(text) > _MAX_REPEATED_TRIPLES_SHARE
        yield "labelled otherwise", claimed.strip().lower() != label
        yield "duplicate", fold(text) in self._seen


def _letters_share(text: str) -> float:
    characters = "".join(text.split())
    return sum(character.isalpha() for character in characters) / max(1, len(characters))


def _repeated_share(text: str) -> float:
    words = fold(text).split()
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(triples)) / max(1, len(triples)) if triples else 0.0
