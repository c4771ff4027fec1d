"""The data report: one page on the rows, their sources and what was removed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from components.artifacts.dataset import REAL, SYNTHETIC, Description
from components.artifacts.ledger_lines import RoundLine
from components.artifacts.synthetic import RECORDED
from components.merge import pictures
from components.merge.ledgers import LedgerSummary
from components.merge.measures import (
    SAME_MEANING,
    SAMPLE_ROWS,
    distinct_n,
    nearest_real,
    repeated_share,
    sample,
    tfidf_distance,
    vendi_score,
)
from components.quick_classifier import Embed
from components.reports import data_uri, render_page
from components.texts import words_of

_PAIRS = 10
_EXAMPLES = 3
_REASONS = 10
_CONFUSED = 5
MOST_NEIGHBOURS = 4000


@dataclass(frozen=True, eq=False)
class DataReport:
    """The content of the page.

    Args:
        description: What merge knows of the data set.
        splits: Rows that stayed, by split: `text`, `label` (id), `source` and, if known, `model`.
        removed: Rows that were removed, or some of them: `text`, `label` (id), `source`, `reason`.
        ledger: Yield and cost of the LLMs.
        embed: The encoder that compares texts by their meaning; None compares words alone.
    """

    description: Description
    splits: Mapping[str, pd.DataFrame]
    removed: pd.DataFrame
    ledger: LedgerSummary = field(default_factory=LedgerSummary)
    embed: Embed | None = None

    @property
    def labels(self) -> Sequence[str]:
        """Label names in the order of their ids."""
        return self.description.labels


def render(report: DataReport) -> str:
    """Write the data report as a self-contained HTML page."""
    rows = pd.concat(
        [part.assign(split=split) for split, part in report.splits.items()], ignore_index=True
    )
    texts = {name: list(rows["text"][rows["source"] == name]) for name in (REAL, SYNTHETIC)}
    words = {source: [len(words_of(text)) for text in each] for source, each in texts.items()}
    by_label = _by_label(report)
    return render_page(
        "merge/report.html.j2",
        data=report.description,
        unreadable_lines=report.ledger.unreadable_lines,
        totals={source: len(each) for source, each in texts.items()},
        checks=_checks(report.description.checks),
        counts=_counts(by_label),
        removed=_removed(report),
        median_words={source: int(np.median(n)) for source, n in words.items() if n},
        diversity=_diversity(texts, report),
        same_meaning=SAME_MEANING,
        pairs=_closest_pairs(rows, report),
        has_encoder=report.embed is not None,
        most_neighbours=MOST_NEIGHBOURS,
        models=_models(report, rows),
        judges=[(_short(each.judge), _short(each.model), each) for each in report.ledger.judges],
        rounds=[(_short(each.model), each, _confused(each)) for each in report.ledger.rounds],
        coverage=_coverage(report.ledger),
        rejections=report.ledger.rejections[:_REASONS],
        rows_by_label=data_uri(pictures.rows_by_label(by_label, report.labels)),
        lengths=data_uri(pictures.lengths(words)),
    )


def _by_label(report: DataReport) -> dict[tuple[str, str], list[int]]:
    """Count the rows of each label id, by split and source that occur."""
    return {
        (split, str(source)): np.bincount(rows["label"], minlength=len(report.labels)).tolist()
        for split, part in report.splits.items()
        for source, rows in part.groupby("source")
    }


def _counts(by_label: Mapping[tuple[str, str], Sequence[int]]) -> dict[str, dict[str, int]]:
    """Count the rows by split and source, 0 where there are none."""
    sources = sorted({source for _, source in by_label})
    return {
        split: {source: sum(by_label.get((split, source), ())) for source in sources}
        for split, _ in by_label
    }


def _checks(checks: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": name.replace("_", " "),
            "value": _figure(check["value"]),
            "limit": _figure(check["limit"]),
            "passed": bool(check["passed"]),
        }
        for name, check in checks.items()
    ]


def _figure(value: object) -> str:
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{int(value):,}"
    return f"{float(value):.4g}" if isinstance(value, Real) else str(value)


def _removed(report: DataReport) -> list[dict[str, Any]]:
    """Each reason with its number of rows and a few of them, the most frequent first."""
    rows = report.removed.assign(label=[report.labels[each] for each in report.removed["label"]])
    counts = Counter(report.description.removed)
    shown = rows.drop_duplicates(["reason", "text"]).groupby("reason").head(_EXAMPLES)
    return [
        {
            "reason": reason.replace("_", " "),
            "rows": count,
            "examples": shown[shown["reason"] == reason].to_dict("records"),
        }
        for reason, count in counts.most_common()
        if count
    ]


def _diversity(texts: Mapping[str, Sequence[str]], report: DataReport) -> list[dict[str, Any]]:
    """The measures of each source, taken on equal numbers of rows."""
    present = {source: each for source, each in texts.items() if each}
    size = min(SAMPLE_ROWS, *map(len, present.values()))
    seed = report.description.seed
    samples = {source: sample(each, seed, size) for source, each in present.items()}
    return [
        {
            "source": source,
            "rows": len(drawn),
            "distinct_1": distinct_n(drawn, 1),
            "distinct_2": distinct_n(drawn, 2),
            "distance": tfidf_distance(drawn),
            **_diversity_of_meaning(drawn, report.embed),
        }
        for source, drawn in samples.items()
    ]


def _diversity_of_meaning(texts: Sequence[str], embed: Embed | None) -> dict[str, float]:
    if embed is None:
        return {}
    vectors = embed(texts)
    return {"vendi": vendi_score(vectors), "repeated": repeated_share(vectors)}


def _coverage(ledger: LedgerSummary) -> list[dict[str, Any]]:
    """How evenly the accepted sentences of each LLM are spread over an attribute's values."""
    return [
        {
            "model": _short(model.model),
            "attribute": name.replace("_", " "),
            "values": len(counts),
            "most": counts.most_common(1)[0],
            "least": counts.most_common()[-1],
        }
        for model in ledger.models
        for name, counts in model.attributes.items()
        if len(counts) > 1
    ]


def _confused(line: RoundLine) -> list[tuple[str, str, int]]:
    """The most frequent mistakes that the next round aims at: label, label seen, number."""
    pairs = [
        (label, other, count)
        for label, others in line.confused.items()
        for other, count in others.items()
    ]
    return sorted(pairs, key=lambda each: -each[2])[:_CONFUSED]


def _closest_pairs(rows: pd.DataFrame, report: DataReport) -> list[dict[str, Any]]:
    """The synthetic rows that come closest to a real one, closest first."""
    labels = report.labels
    synthetic = rows[rows["source"] == SYNTHETIC]
    real = rows[rows["source"] == REAL]
    if report.embed and len(real) > MOST_NEIGHBOURS:
        # To embed all of a large data set would take hours.
        real = real.sample(MOST_NEIGHBOURS, random_state=report.description.seed)
    nearest = nearest_real(list(synthetic["text"]), list(real["text"]), report.embed)
    closest = sorted(enumerate(nearest), key=lambda each: -each[1][1])[:_PAIRS]
    return [
        {
            "text": synthetic["text"].iloc[place],
            "label": labels[synthetic["label"].iloc[place]],
            "nearest": real["text"].iloc[neighbour],
            "nearest_label": labels[real["label"].iloc[neighbour]],
            "split": real["split"].iloc[neighbour],
            "similarity": similarity,
        }
        for place, (neighbour, similarity) in closest
    ]


def _models(report: DataReport, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Join yield, cost, agreement and remaining rows of every known LLM."""
    yields = {each.model: each for each in report.ledger.models}
    agreements = report.description.agreement.get("by_model", {})
    synthetic = rows[rows["source"] == SYNTHETIC]
    kept = synthetic["model"].value_counts().to_dict() if "model" in rows else {}
    references = list(dict.fromkeys([*yields, *agreements, *kept]))
    short = [_short(reference) for reference in references]
    return [
        {
            "name": name if short.count(name) == 1 else reference,
            "reference": reference,
            "yield": yields.get(reference),
            "agreement": agreements.get(reference),
            "kept": kept.get(reference, 0) if "model" in rows else None,
        }
        for name, reference in zip(short, references, strict=True)
    ]


def _short(reference: str) -> str:
    """A model reference without its folder and hash; of a ledger that was replayed, it says so."""
    name = reference.partition("@sha256:")[0].rstrip("/").rpartition("/")[2] or reference
    return f"{name}, replayed" if reference.startswith(RECORDED) else name
