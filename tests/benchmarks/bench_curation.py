"""How well does curation tell good candidates from bad ones? `make bench-curation`.

Judges labelled candidates (tests/benchmarks/curation). `good` and `bad` were written for this
project: texts that are hard to keep for a naive rule, and faults as careless LLMs and broken
pipelines make them. `small_llm` is what SmolLM2-135M wrote, as it came, labelled by hand. Rules,
the check of the form, and two judges come one after the other; the judges learn from the train rows
of the embedded sample and from the corpus.
"""

import argparse
import asyncio
import json
from collections import Counter, defaultdict
from pathlib import Path

from components.artifacts.ledger_lines import ACCEPTED
from components.artifacts.model.encoder import SentenceEncoder
from components.artifacts.task import load_task
from components.generate.answers.parse import Candidate
from components.generate.classifier_judge import ClassifierJudge
from components.generate.curate import Curator
from components.generate.harvest import NO_DOUBT
from components.generate.run import train_examples
from components.generate.settings import ENCODER, WORDS
from components.generate.style import load_style
from components.merge.settings import MergeSettings

CASES = Path(__file__).parent / "curation"
TASK = load_task("emotion")
LONGEST = load_style("plain").max_characters  # The style that small_llm was asked in.


def cases() -> list[dict[str, str]]:
    files = (CASES / "good.jsonl", CASES / "bad.jsonl", CASES / "small_llm.jsonl")
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [json.loads(line) for line in lines]


def probability(judge: ClassifierJudge, case: dict[str, str]) -> float:
    opinion = asyncio.run(judge.opinion(case["text"]))
    return opinion.probabilities[case["label"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentence-encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--least", type=float, default=NO_DOUBT / len(TASK.names))
    arguments = parser.parse_args()
    real, embed = train_examples(MergeSettings()), SentenceEncoder(arguments.sentence_encoder)
    judges = [None, None]
    for name, meaning in ((WORDS, None), (ENCODER, embed)):
        judges.append(ClassifierJudge(TASK, name, real, 0, meaning))
        rows, right = judges[-1].tried_out()
        print(f"\nThe judge {name} labels {right} of {rows} real rows right, learnt without them.")
    checks = [{"form_filter": False}, {}, {}, {"embed": embed}]
    curators = [Curator(TASK, LONGEST, **each) for each in checks]
    verdicts: dict[tuple[str, str], list[Counter[str]]] = defaultdict(
        lambda: [Counter() for _ in curators]
    )
    for case in cases():
        for number, (curator, judge) in enumerate(zip(curators, judges, strict=True)):
            doubted = judge is not None and probability(judge, case) < arguments.least
            reason = curator.rejection(Candidate(case["text"]), case["label"], doubted=doubted)
            verdicts[case["verdict"], case["kind"]][number][reason or ACCEPTED] += 1
    print(f"\nDoubted below {arguments.least:.3f}. Right verdicts:\n")
    print("| candidates | kind | number | rules | and form | and words | and encoder | verdicts |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for wanted in ("good", "bad"):
        kinds = {kind: each for (verdict, kind), each in verdicts.items() if verdict == wanted}
        whole = [sum(each, Counter()) for each in zip(*kinds.values(), strict=True)]
        for kind, found in {**kinds, "all": whole}.items():
            reasons = ", ".join(f"{name} {count}" for name, count in found[-1].most_common(4))
            shares = " | ".join(f"{_share(each, wanted):.0%}" for each in found)
            print(f"| {wanted} | {kind} | {found[0].total()} | {shares} | {reasons} |")


def _share(found: Counter[str], wanted: str) -> float:
    """Share of candidates whose verdict is the right one."""
    accepted = found[ACCEPTED] / found.total()
    return accepted if wanted == "good" else 1 - accepted


if __name__ == "__main__":
    main()
