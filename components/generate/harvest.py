"""The sentences accepted so far, those still wanted, and when to stop asking."""

import logging
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.artifacts.ledger_lines import (
    ACCEPTED,
    UNUSABLE,
    Completion,
    OpinionLine,
    surplus_line,
)
from components.errors import WorkError
from components.generate.answers.asides import refuses
from components.generate.answers.parse import Candidate
from components.generate.answers.thoughts import without_thoughts
from components.generate.curate import Curator
from components.generate.form import Form
from components.generate.ledger import Ledger
from components.generate.request import Answer, Request
from components.generate.settings import GenerateSettings
from components.generate.text_checks import speaks_of_the_prompt

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 5.0
_ANSWERS_BEFORE_HOPELESS = 30
_HOPELESS_SHARE = 0.01
NO_DOUBT = 0.8
"""Share of an even chance that is no doubt yet."""

_EMPTY = {
    "content_filter": "filtered by the server",
    "length": "cut off before a text",
    "refusal": "refused",
    "refused_request": "request refused",
    "thoughts": "only thoughts",
    UNUSABLE: "no message",
}


@dataclass
class Tally:
    """Outcome of the requests for one label."""

    answers: int = 0
    accepted: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def is_hopeless(self) -> bool:
        """True if so little is accepted that more requests would be wasted."""
        share = self.accepted / max(1, self.verdicts.total())
        return self.answers >= _ANSWERS_BEFORE_HOPELESS and share < _HOPELESS_SHARE

    @property
    def reasons(self) -> str:
        """The three most frequent verdicts, as text."""
        common = self.verdicts.most_common(3)
        return ", ".join(f"{verdict} {number}" for verdict, number in common) or "no candidates"


class Harvest:
    """The sentences accepted so far for one branch's share of each label.

    Args:
        labels: Label names.
        settings: The quota and the budgets.
        curator: Judges the candidates.
        ledger: Records the verdicts.
    """

    def __init__(
        self, labels: tuple[str, ...], settings: GenerateSettings, curator: Curator, ledger: Ledger
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self._goal = settings.surplus
        self._tallies = {label: Tally() for label in labels}
        self._settings = settings
        self._curator = curator
        self._ledger = ledger
        self._tokens = 0
        self._started = self._reported = time.monotonic()

    def start(self) -> None:
        """Start the minutes that may be spent: what comes before the first request is not."""
        self._started = time.monotonic()

    @property
    def counts(self) -> dict[str, int]:
        """Accepted sentences by label."""
        return {label: tally.accepted for label, tally in self._tallies.items()}

    @property
    def wanting(self) -> set[str]:
        """Labels that have fewer sentences than are aimed for."""
        return {label for label, count in self.counts.items() if count < self._goal}

    @property
    def is_full(self) -> bool:
        """True if every label has all the sentences that it may have."""
        return all(count >= self._settings.surplus for count in self.counts.values())

    @property
    def turns(self) -> int:
        """Number of answers for the label that has most."""
        return max(tally.answers for tally in self._tallies.values())

    def aim_for(self, goal: int) -> None:
        """Take so many sentences of each label from now on, which may be fewer than all."""
        self._goal = goal

    @property
    def spent(self) -> str:
        """The reason why more would not be worth it, or may not be spent; empty without one."""
        settings, minutes = self._settings, (time.monotonic() - self._started) / 60
        if hopeless := [label for label in self.wanting if self._tallies[label].is_hopeless]:
            return f"hardly anything is accepted for {', '.join(sorted(hopeless))}"
        if 0 < settings.token_share <= self._tokens:
            return f"the token budget of {settings.token_share} is spent"
        if 0 < settings.minutes_budget <= minutes:
            return f"the {settings.minutes_budget:g} minutes are over"
        return ""

    @property
    def seconds_left(self) -> float | None:
        """Time until the minutes are over; None if they have no bound."""
        seconds = self._settings.minutes_budget * 60
        return seconds - (time.monotonic() - self._started) if seconds else None

    def take(self, answer: Answer) -> None:
        """Judge an answer's candidates, record the verdicts and keep the good ones."""
        request = answer.request
        tally = self._tallies[request.label]
        tally.answers += 1
        costs: list[Completion | OpinionLine] = [answer.completion, *answer.opinions.values()]
        self._tokens += sum(cost.prompt_tokens + cost.completion_tokens for cost in costs)
        found = answer.candidates(tuple(self._tallies))
        if not found:
            tally.verdicts[_emptiness(answer.completion)] += 1
        forms = self._curator.forms(candidate.text for candidate in found)
        for candidate in found:
            opinion = answer.opinions.get(candidate.text)
            # Of a label without texts a classifier knows nothing, so that it doubts nothing.
            is_known = opinion is not None and request.label in opinion.probabilities
            probabilities = opinion.probabilities if opinion and is_known else {}
            form = forms.get(candidate.text)
            rejection = self._rejection(candidate, form, request, probabilities)
            line = self._ledger.judged(candidate.text, request, rejection, _shares(probabilities))
            tally.verdicts[rejection or ACCEPTED] += 1
            if rejection is None:
                self.rows.append(line.to_row())
                tally.accepted += 1
        self._report()

    def keep(self, places: Collection[int]) -> None:
        """Keep only those rows, and record that there are enough of the others."""
        for place, row in enumerate(self.rows):
            if place not in places:
                self._ledger.write(surplus_line(row))
                self._tallies[row["label"]].accepted -= 1
        self.rows = [self.rows[place] for place in sorted(places)]

    def spend(self, tokens: int) -> None:
        """Count tokens that something else than an answer has cost."""
        self._tokens += tokens

    def require_quota(self) -> None:
        """Refuse to continue with too few sentences, unless a partial harvest is allowed.

        Raises:
            WorkError: If a label has not met the quota; it shows each label's yield and why
                candidates were rejected.
        """
        quota = self._settings.quota
        short = sorted(label for label, count in self.counts.items() if count < quota)
        if not short:
            return
        self.aim_for(quota)
        asked = max(self._tallies[label].answers for label in short)
        reason = self.spent or f"{asked} requests per label are spent"
        yields = "; ".join(
            f"{label} {self._tallies[label].accepted}/{quota} ({self._tallies[label].reasons})"
            for label in short
        )
        has_others = len(self._settings.models) > 1 or self._settings.shards > 1
        if self._settings.allow_partial and (self.rows or has_others):
            _log.warning("generate: continuing with too few sentences, %s: %s", reason, yields)
            return
        raise WorkError(
            f"model {self._settings.chosen_model}",
            f"gave too few good sentences, and {reason}: {yields}",
            "Raise the budget, want fewer samples per label, set allow_partial or use a better LLM",
        )

    def _rejection(
        self,
        candidate: Candidate,
        form: Form | None,
        request: Request,
        probabilities: Mapping[str, float],
    ) -> str | None:
        label = request.label
        # A round's goal says when to stop asking; what it brings beyond that is welcome.
        if self._tallies[label].accepted >= self._settings.surplus:
            return "quota met"
        # A judge that knows nothing of a text gives every label the same, which is no doubt.
        least = self._settings.min_label_probability or NO_DOUBT / len(self._tallies)
        doubted = probabilities.get(label, 1.0) < least
        return self._curator.rejection(
            candidate, label, request.attributes, form=form, doubted=doubted
        )

    def _report(self) -> None:
        if self.wanting and time.monotonic() - self._reported < _PROGRESS_SECONDS:
            return
        self._reported = time.monotonic()
        counts = ", ".join(f"{label} {count}" for label, count in self.counts.items())
        wanted = self._goal * len(self._tallies)
        answers = sum(tally.answers for tally in self._tallies.values())
        _log.info(
            "generate: %d/%d after %d answers (%s)",
            len(self.rows),
            wanted,
            answers,
            counts,
            extra={"progress": (len(self.rows), wanted)},
        )


def _shares(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The probabilities of the labels among themselves, if the text shows one."""
    whole = sum(probabilities.values())
    return {name: round(each / whole, 4) for name, each in probabilities.items()} if whole else {}


def _emptiness(completion: Completion) -> str:
    """Why an answer holds no candidate."""
    if completion.finish_reason in _EMPTY:
        return _EMPTY[completion.finish_reason]
    spoken = without_thoughts(completion.raw)
    is_refusal = refuses(spoken) or speaks_of_the_prompt(spoken)
    return "refused" if is_refusal else "no candidates"
