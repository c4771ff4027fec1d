"""How well does curation tell good candidates from bad ones? `make bench-curation`.

Judges labelled candidates that were written for this project (tests/benchmarks/curation): texts
that are hard to keep for a naive rule, and faults as small or careless LLMs and broken pipelines
make them. Rules, the check of the form, and the judge `words`, which learns from the train rows of
the embedded sample and from the corpus, come one after the other.
"""

import asyncio
import json
from collections import Counter, defaultdict
from pathlib import Path

from components.generate.word_judge import WordJudge

from components.artifacts.synthetic import ACCEPTED
from components.artifacts.task import load_task
from components.generate.curate import Curator
from components.generate.parse import Candidate
from components.generate.run import train_examples
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings

CASES = Path(__file__).parent / "curation"
TASK = load_task("emotion")
LEAST = GenerateSettings(models=["recorded:none"]).min_label_probability


def cases() -> list[dict[str, str]]:
    files = (CASES / "good.jsonl", CASES / "bad.jsonl")
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [json.loads(line) for line in lines]


def is_doubted(judge: WordJudge, case: dict[str, str]) -> bool:
    opinion = asyncio.run(judge.opinion(case["text"]))
    return opinion.probabilities[case["label"]] < LEAST


def main() -> None:
    judge = WordJudge(TASK, train_examples(MergeSettings()), seed=0)
    rows, right = judge.tried_out()
    print(f"\nThe judge labels {right} of {rows} real rows right that it has not learnt from.")
    stages = [Curator(TASK, None, form_filter=False), Curator(TASK, None), Curator(TASK, None)]
    verdicts: dict[tuple[str, str], list[Counter[str]]] = defaultdict(
        lambda: [Counter() for _ in stages]
    )
    for case in cases():
        for number, curator in enumerate(stages):
            doubted = number == 2 and is_doubted(judge, case)
            reason = curator.rejection(Candidate(case["text"]), case["label"], doubted=doubted)
            verdicts[case["verdict"], case["kind"]][number][reason or ACCEPTED] += 1
    print("\n| candidates | kind | number | by rules | and form | and judge | verdicts |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for wanted in ("good", "bad"):
        kinds = {kind: each for (verdict, kind), each in verdicts.items() if verdict == wanted}
        whole = [sum(each, Counter()) for each in zip(*kinds.values(), strict=True)]
        for kind, found in {**kinds, "all": whole}.items():
            reasons = ", ".join(f"{name} {count}" for name, count in found[2].most_common(4))
            shares = " | ".join(f"{_share(each, wanted):.0%}" for each in found)
            print(f"| {wanted} | {kind} | {found[0].total()} | {shares} | {reasons} |")


def _share(found: Counter[str], wanted: str) -> float:
    """Share of candidates whose verdict is the right one."""
    accepted = found[ACCEPTED] / found.total()
    return accepted if wanted == "good" else 1 - accepted


if __name__ == "__main__":
    main()
