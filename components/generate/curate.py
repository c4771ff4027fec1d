"""The judgement of candidates: good enough to train on, or the reason why not."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

import regex

from components.artifacts.task import Task
from components.generate.answers.parse import Candidate
from components.generate.examples import CORPUS_LANGUAGE, corpus_has
from components.generate.form import Form, form_check
from components.generate.text_checks import (
    LanguageCheck,
    UnsafeWords,
    has_hidden_characters,
    letters_share,
    repeated_share,
    speaks_of_the_prompt,
)
from components.quick_classifier import Embed
from components.texts import NearTexts, fold, words, words_of

_MIN_WORDS = 3
MAX_CHARACTERS = 2000
"""Longest text of any style that is accepted."""

_MIN_LETTERS_SHARE = 0.7
_MAX_REPEATED_TRIPLES_SHARE = 0.25
_FINISHED = regex.compile(r"[\p{Sentence_Terminal}\u2026][\"'\p{Pe}\p{Pf}]*$")
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


@dataclass
class Curator:
    """Judges candidates one after the other and remembers the accepted texts.

    Args:
        task: Its example texts count as seen, so an LLM that copies them earns nothing.
        max_characters: Length at which the server cuts a text off; None if it cuts none off.
        similarity: Jaccard index of two texts' words from which the later is rejected, in
            [0.1, 1]; with 1, only exact duplicates are.
        language: ISO 639-1 code of the wanted language; empty accepts every language.
        unsafe_filter: Reject obscene words and slurs; see `text_checks.UnsafeWords` for its limits.
        form_filter: Reject what breaks off or is no text; see `form`, which knows English texts of
            tasks with the corpus's labels only.
        known: Further texts that count as seen.
        embed: The encoder that the check of the form uses; None for words alone.
        longest: Most characters of a text that is accepted.

    Raises:
        InputError: If the wanted language is not known.
    """

    task: Task
    max_characters: int | None
    similarity: float = 0.7
    language: str = "en"
    unsafe_filter: bool = True
    form_filter: bool = True
    known: Collection[str] = ()
    embed: Embed | None = None
    longest: int = MAX_CHARACTERS

    def __post_init__(self) -> None:
        examples = (text for label in self.task.labels for text in label.examples)
        self._seen = {fold(text) for text in chain(examples, self.known)}
        self._near = NearTexts(self.similarity, words) if self.similarity < 1 else None
        self._numbers = itertools.count()
        self._language = LanguageCheck(self.language) if self.language else None
        # It takes texts of other tasks than the corpus, such as headlines, for debris.
        is_known = self.language == CORPUS_LANGUAGE and corpus_has(self.task)
        self._form = form_check(self.embed) if self.form_filter and is_known else None
        self._unsafe = UnsafeWords() if self.unsafe_filter else None
        self._words = {
            label.name: tuple(f" {fold(word)} " for word in label.words)
            for label in self.task.labels
        }
        for folded in sorted(self._seen):
            self._remember(folded)

    def forms(self, texts: Iterable[str]) -> Mapping[str, Form]:
        """Judge the forms of texts at once, which costs less than one after the other.

        Those that have been accepted, or cannot be, are left out.
        """
        if self._form is None:
            return {}
        judged = [text for text in readable(texts) if fold(text) not in self._seen]
        return dict(zip(judged, self._form.forms(judged), strict=True))

    def rejection(
        self,
        candidate: Candidate,
        label: str,
        attributes: Mapping[str, str] = _NO_ATTRIBUTES,
        *,
        form: Form | None = None,
        doubted: bool = False,
    ) -> str | None:
        """Give the reason to reject a candidate; None accepts and remembers it.

        Args:
            candidate: The text, and the label from the LLM, if any.
            label: Name of the label that was asked for.
            attributes: What else the prompt asked for; `naming` may be `explicit` or `implicit`.
            form: What `forms` says of the text; None has it judged here.
            doubted: True if a judge sees another label.
        """
        folded = fold(candidate.text)
        faults = self._faults(candidate, folded, label, attributes.get("naming", ""), form)
        reason = next((name for name, is_faulty in faults if is_faulty), None)
        if reason is None and doubted:
            return "judged otherwise"
        if reason is None and not self._remember(folded):
            return "near duplicate"
        return reason

    def _faults(
        self, candidate: Candidate, folded: str, label: str, naming: str, form: Form | None
    ) -> Iterator[tuple[str, bool]]:
        text = candidate.text
        claimed = candidate.label or label
        yield "control characters", has_hidden_characters(text)
        yield "too short", len(words_of(text)) < _MIN_WORDS
        yield "too long", len(text) > self.longest
        is_at_limit = self.max_characters is not None and len(text) >= self.max_characters
        yield "breaks off", is_at_limit and not _FINISHED.search(text)
        yield "not prose", letters_share(text) < _MIN_LETTERS_SHARE
        yield "labelled otherwise", claimed.strip().lower() != label
        yield "duplicate", folded in self._seen
        yield "repeats itself", repeated_share(folded) > _MAX_REPEATED_TRIPLES_SHARE
        yield from self._naming_faults(folded, label, naming)
        yield "unsafe", self._unsafe is not None and self._unsafe.occur_in(text, folded)
        yield "speaks of the prompt", speaks_of_the_prompt(text)
        yield "other language", self._language is not None and self._language.is_other(text)
        if form := form or self.forms([text]).get(text):
            yield "not a text", form.is_debris
            yield "breaks off", form.breaks_off

    def _naming_faults(self, folded: str, label: str, naming: str) -> Iterator[tuple[str, bool]]:
        if words := self._words.get(label):
            is_named = any(word in f" {folded} " for word in words)
            yield "names the label", naming == "implicit" and is_named
            yield "does not name the label", naming == "explicit" and not is_named

    def _remember(self, folded: str) -> bool:
        if self._near is not None:
            if self._near.find(folded) is not None:
                return False
            self._near.add(next(self._numbers), folded)
        self._seen.add(folded)
        return True


def readable(texts: Iterable[str]) -> list[str]:
    """Leave out texts that no rule accepts, and that could not always be sent; and those twice."""
    unique = dict.fromkeys(texts)
    return [
        text for text in unique if len(text) <= MAX_CHARACTERS and not has_hidden_characters(text)
    ]
