"""Opinions that are asked for at the same time."""

import asyncio
import json

import pytest

from components.artifacts.ledger_lines import Completion, OpinionLine
from components.artifacts.synthetic import LEDGER
from components.errors import WorkError
from components.generate.judge import with_opinions
from components.generate.ledger import Ledger
from components.generate.request import Answer, Request

LABELS = ("joy", "fear")


class Judge:
    """Counts what it is asked, and is slow enough to be asked again meanwhile."""

    def __init__(self, failures=0):
        self.asked = []
        self.failures = failures

    async def opinion(self, text):
        self.asked.append(text)
        await asyncio.sleep(0.05)
        if len(self.asked) <= self.failures:
            raise WorkError("the judge", "does not answer", "Try again")
        return OpinionLine(text, "server#judge", {"joy": 0.75, "fear": 0.25})


def remembered(judge, folder):
    return Ledger(folder / LEDGER, "server#small").remembering(
        "server#judge", judge.opinion, LABELS
    )


def request(turn):
    return Request("joy", turn, {}, [], {}, max_tokens=9, temperature=0.0, seed=turn)


def test_of_a_text_in_two_answers_that_come_together_the_judge_is_asked_once(tmp_path):
    async def answer(asked):
        raw = json.dumps(["What a day!", f"only in {asked.turn}", "What a day!"])
        return Answer(asked, Completion(raw, "stop", 1, 1, 0.0))

    judge = Judge()

    async def both():
        ask = with_opinions(answer, remembered(judge, tmp_path), LABELS)
        return await asyncio.gather(ask(request(0)), ask(request(1)))

    one, other = asyncio.run(both())
    assert sorted(judge.asked) == ["What a day!", "only in 0", "only in 1"]
    assert one.opinions["What a day!"] == other.opinions["What a day!"]
    kept = [json.loads(line) for line in (tmp_path / LEDGER).read_text("utf-8").splitlines()]
    assert sorted(line["text"] for line in kept) == sorted(judge.asked)


def test_a_judge_that_fails_fails_for_all_who_wait_and_is_asked_again_later(tmp_path):
    judge = Judge(failures=1)

    async def twice_and_again():
        give = remembered(judge, tmp_path)
        waiting = [asyncio.create_task(give("What a day!")) for _ in range(2)]
        for each in waiting:
            with pytest.raises(WorkError, match="does not answer"):
                await each
        assert len(judge.asked) == 1
        return await give("What a day!")

    assert asyncio.run(twice_and_again()).probabilities == {"joy": 0.75, "fear": 0.25}
    assert len(judge.asked) == 2
