"""Measures of the texts: how varied they are, how close to real ones, and what they cost.

Diversity is measured twice. Distinct-n counts word sequences. The mean TF-IDF cosine distance
compares whole texts; unlike self-BLEU it visits no pairs, and unlike sentence embeddings it needs
no further model, yet it falls in the same way when texts resemble each other.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from components.artifacts.synthetic import AnswerLine, CandidateLine, read_ledger
from components.texts import fold

SAMPLE_ROWS = 500
_CHUNK_MEGABYTES = 64
_EXAMPLES = 3

_log = logging.getLogger(__name__)


def sample(texts: Sequence[str], seed: int, size: int = SAMPLE_ROWS) -> list[str]:
    """Draw at most `size` of the texts, without replacement, in their order.

    Both measures of diversity depend on the number of texts, so compare equal numbers.
    """
    if len(texts) <= size:
        return list(texts)
    drawn = np.random.default_rng(seed).choice(len(texts), size, replace=False)
    return [texts[place] for place in sorted(drawn)]


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Compute the share of distinct word n-grams, from 0 to 1; 0 without any.

    Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models", 2016.

    Args:
        texts: Case and punctuation do not count.
        n: Words in a sequence, at least 1.
    """
    distinct: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        words = _words(text)
        grams = [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]
        distinct.update(grams)
        total += len(grams)
    return len(distinct) / total if total else 0.0


def tfidf_distance(texts: Sequence[str]) -> float:
    """Compute the mean TF-IDF cosine distance of two texts, from 0 (all alike) to 1.

    Fewer than two texts have distance 0.
    """
    if len(texts) < 2:
        return 0.0
    vectors = _vectorizer().fit_transform(texts)
    # Vectors have length 1: the squared length of their sum adds up the cosines of all pairs,
    # each text with itself included.
    squared_sum = float(np.square(np.asarray(vectors.sum(axis=0))).sum())
    similarity = (squared_sum - len(texts)) / (len(texts) * (len(texts) - 1))
    return min(1.0, max(0.0, 1.0 - similarity))


def nearest_real(
    synthetic_texts: Sequence[str], real_texts: Sequence[str]
) -> list[tuple[int, float]]:
    """Find the real text that is nearest to each synthetic text by TF-IDF.

    Returns:
        Index into `real_texts` and cosine similarity, 0 to 1, in the order of the synthetic
        texts; empty if there are no texts of one kind.
    """
    if not synthetic_texts or not real_texts:
        return []
    # Words that only synthetic texts have count too: without them, rare words would not tell
    # texts apart.
    vectors = _vectorizer().fit_transform([*real_texts, *synthetic_texts])
    search = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute")
    search.fit(vectors[: len(real_texts)])
    with config_context(working_memory=_CHUNK_MEGABYTES):
        distances, places = search.kneighbors(vectors[len(real_texts) :])
    similarities = np.clip(1.0 - distances[:, 0], 0.0, 1.0)
    return list(zip(places[:, 0].tolist(), similarities.tolist(), strict=True))


@dataclass
class ModelYield:
    """The yield of one LLM, and its cost.

    Args:
        model: Its full reference.
        answers: Requests it answered.
        parsed: Answers with at least one candidate.
        candidates: Sentences found in the answers.
        texts: Candidates that generate accepted.
        prompt_tokens: Of all answers.
        completion_tokens: Of all answers.
        seconds: Of all answers, added up; each of several concurrent requests counts.
    """

    model: str
    answers: int = 0
    parsed: int = 0
    candidates: int = 0
    texts: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    _unparsed: set[tuple[str, int]] = field(default_factory=set)

    def add(self, line: AnswerLine | CandidateLine) -> None:
        """Count a ledger line."""
        # Candidates name their answer by its request, and a request may be repeated.
        request = (line.origin.label, line.origin.turn)
        if isinstance(line, AnswerLine):
            self._unparsed.add(request)
            self.answers += 1
            self.prompt_tokens += line.completion.prompt_tokens
            self.completion_tokens += line.completion.completion_tokens
            self.seconds += line.completion.seconds
            return
        if request in self._unparsed:
            self._unparsed.remove(request)
            self.parsed += 1
        self.candidates += 1
        if not line.rejection:
            self.texts.append(line.text)

    @property
    def accepted(self) -> int:
        """Number of candidates that generate accepted."""
        return len(self.texts)

    @property
    def distinct_2(self) -> float:
        """Share of distinct word pairs in the accepted sentences, 0 to 1."""
        return distinct_n(self.texts, 2)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def accepted_share(self) -> float:
        """Share of the candidates that were accepted, 0 to 1."""
        return self.accepted / self.candidates if self.candidates else 0.0

    @property
    def tokens_per_accepted(self) -> float | None:
        """Tokens paid for each accepted sentence; None without any."""
        return self.tokens / self.accepted if self.accepted else None

    @property
    def seconds_per_accepted(self) -> float | None:
        """Seconds spent on each accepted sentence; None without any."""
        return self.seconds / self.accepted if self.accepted else None


@dataclass(frozen=True)
class Rejection:
    """A reason for rejection, the number of candidates, and the first few of them."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class LedgerSummary:
    """All ledgers in numbers: models in order of appearance, the most frequent rejection first."""

    models: tuple[ModelYield, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    unreadable_lines: int = 0


def read_ledgers(paths: Iterable[Path]) -> LedgerSummary:
    """Add up ledgers line by line.

    Lines that cannot be read, such as a last one cut off when a run was stopped, are counted
    and left out: a ledger is a record, and nothing is trained on it.
    """
    models: dict[str, ModelYield] = {}
    rejected: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    unreadable = 0
    for line in chain.from_iterable(map(read_ledger, paths)):
        if line is None:
            unreadable += 1
            continue
        models.setdefault(line.origin.model, ModelYield(line.origin.model)).add(line)
        if isinstance(line, CandidateLine) and line.rejection:
            rejected[line.rejection] += 1
            shown = examples.setdefault(line.rejection, [])
            if len(shown) < _EXAMPLES and line.text not in shown:
                shown.append(line.text)
    if unreadable:
        _log.warning("merge: %d ledger lines could not be read and were left out", unreadable)
    return LedgerSummary(
        models=tuple(models.values()),
        rejections=tuple(Rejection(r, n, tuple(examples[r])) for r, n in rejected.most_common()),
        unreadable_lines=unreadable,
    )


def _vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer=_words, dtype=np.float32)


def _words(text: str) -> list[str]:
    return fold(text).split() or [text]
