"""How well does curation tell good candidates from bad ones? `make bench-curation`.

Judges labelled candidates that were written for this project (tests/benchmarks/curation): texts
that are hard to keep for a naive rule, and faults as small or careless LLMs and broken pipelines
make them.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

from components.artifacts.synthetic import ACCEPTED
from components.artifacts.task import load_task
from components.generate.curate import Curator
from components.generate.parse import Candidate

CASES = Path(__file__).parent / "curation"


def cases() -> list[dict[str, str]]:
    files = (CASES / "good.jsonl", CASES / "bad.jsonl")
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [json.loads(line) for line in lines]


def main() -> None:
    curator = Curator(load_task("emotion"), None)
    verdicts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for case in cases():
        reason = curator.rejection(Candidate(case["text"]), case["label"])
        verdicts[case["verdict"], case["kind"]][reason or ACCEPTED] += 1
    print("\n| candidates | kind | number | as wanted | verdicts |")
    print("| --- | --- | --- | --- | --- |")
    for wanted in ("good", "bad"):
        kinds = {kind: each for (verdict, kind), each in verdicts.items() if verdict == wanted}
        for kind, found in {**kinds, "all": sum(kinds.values(), Counter())}.items():
            accepted = found[ACCEPTED]
            right = accepted if wanted == "good" else found.total() - accepted
            reasons = ", ".join(f"{reason} {count}" for reason, count in found.most_common(4))
            share = right / found.total()
            print(f"| {wanted} | {kind} | {found.total()} | {share:.0%} | {reasons} |")


if __name__ == "__main__":
    main()
