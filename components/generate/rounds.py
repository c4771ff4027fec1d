"""Rounds of asking: after each one is studied what is not known yet, and the next asks for that."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.artifacts.evaluation import Evaluation
from components.artifacts.ledger_lines import RoundLine
from components.artifacts.task import Label, Task
from components.generate.harvest import Harvest
from components.generate.ledger import Ledger
from components.generate.prompts import Prompts
from components.generate.request import Request
from components.generate.settings import GenerateSettings
from components.generate.study import Aim, Lesson, Study

_log = logging.getLogger(__name__)
_WEAK_PARTS = {
    ("Wording", "names a label"): ("naming", "explicit"),
    ("Wording", "only implies it"): ("naming", "implicit"),
}


@dataclass(frozen=True)
class Rounds:
    """The requests of a run, round by round.

    Args:
        settings: The number of rounds, and the bound of requests.
        task: Its labels are asked for in turn.
        prompts: Build the requests.
        harvest: Says which labels still want sentences.
        ledger: Records what was learnt in each round.
        study: Says what to ask for; None for a single round without an aim.
        focus: Evaluation of an earlier run, whose mistakes the first round aims at; or None.
    """

    settings: GenerateSettings
    task: Task
    prompts: Prompts
    harvest: Harvest
    ledger: Ledger
    study: Study | None = None
    focus: Evaluation | None = None

    def __iter__(self) -> Iterator[Iterator[Request]]:
        """Give the requests of each round; what it brought is studied when the next is asked for.

        A round goes on with the numbers of the one before, so that a label gets at most
        `request_budget` requests in all, of this branch and other shards.
        """
        part, count = self.settings.part, self.settings.rounds
        budget = part.of(self.settings.request_budget)
        lesson = self._studied(0)
        for number in range(1, count + 1):
            self.harvest.aim_for(math.ceil(self.settings.surplus * number / count))
            if number > 1 and self.harvest.spent:
                return
            turns = range(self.harvest.turns, budget * number // count)
            prompts = self._aimed(lesson.aim, number) if lesson else self.prompts
            yield requests(self.harvest, self.task.labels, map(part.turn, turns), prompts.request)
            lesson = self._studied(number)

    def _studied(self, number: int) -> Lesson | None:
        if self.study is None:
            return None
        confusion = None
        if number == 0 and self.focus is not None:
            # Which rows of the test split are mistaken steers no run, since all are judged on it.
            confusion = np.array(self.focus.validation.confusion_matrix)
        lesson = self.study.lesson(self.harvest.rows, confusion)
        scores = (lesson.rows, round(lesson.accuracy, 4), round(lesson.macro_f1, 4))
        model, counts = self.settings.chosen_model, self.harvest.counts
        self.ledger.write(RoundLine(model, number, counts, *scores, _pairs(lesson.aim)))
        _log.info(
            "generate: after round %d a quick classifier labels %.1f%% of %d real rows held out "
            "right, macro-F1 %.3f",
            number,
            100 * lesson.accuracy,
            lesson.rows,
            lesson.macro_f1,
        )
        return lesson

    def _aimed(self, aim: Aim, number: int) -> Prompts:
        if number == 1 and self.focus is not None:
            aim = Aim(aim.contrasts, _with_weak_values(self.prompts.attributes, self.focus))
        elif number == 1:
            # Nothing has been asked yet that could be known already.
            aim = Aim()
        return self.prompts.aimed(aim, number)


def requests(
    harvest: Harvest,
    labels: tuple[Label, ...],
    turns: Iterable[int],
    request: Callable[[Label, int], Request | None],
) -> Iterator[Request]:
    """Ask for one label after the other, of those that still want sentences."""
    for turn in turns:
        for label in labels:
            if label.name in harvest.wanting and (wanted := request(label, turn)):
                yield wanted


def _pairs(aim: Aim) -> dict[str, dict[str, int]]:
    return {
        label: {contrast.other: contrast.mistakes for contrast in contrasts}
        for label, contrasts in aim.contrasts.items()
        if contrasts
    }


def _with_weak_values(
    attributes: Mapping[str, Sequence[str]], evaluation: Evaluation
) -> dict[str, tuple[str, ...]]:
    """Values of attributes, half of which are what a model is weakest at.

    A part of the test split counts if its accuracy is below that of the whole by more than chance.
    """
    values: dict[str, tuple[str, ...]] = {}
    for part in sorted(evaluation.slices, key=lambda each: -each.drop):
        name, value = _WEAK_PARTS.get((part.group, part.name), (part.group.lower(), part.name))
        if name in attributes and part.interval.high < evaluation.test.accuracy:
            others = [each for each in attributes[name] if each != value]
            values.setdefault(name, (*others, *[value] * max(1, len(others))))
    return values
