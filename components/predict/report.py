"""The report page: one self-contained HTML file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from components.predict import pictures
from components.predict.parts import Record
from components.predict.plan import Plan
from components.predict.tally import Tally
from components.reports import data_uri, render_page


@dataclass(frozen=True)
class Predictions:
    """What became of all rows.

    Args:
        plan: What was to be done.
        tally: What the rows count.
        seconds: Time of all parts, that of all shards added up.
        output: Where they are.
    """

    plan: Plan
    tally: Tally
    seconds: float
    output: str

    @property
    def rows_per_second(self) -> float:
        """Rows per second of one shard."""
        return self.tally.rows / self.seconds if self.seconds else 0.0

    @property
    def sentence(self) -> str:
        """The result in words."""
        rest = self.tally.rows - self.tally.labelled
        left_out = f", {rest:,} have no label" if rest else ""
        return f"{self.tally.rows:,} rows in {self.output}{left_out}"

    def figures(self) -> dict[str, float]:
        """The main figures by name, as a list of runs shows them."""
        tally = self.tally
        return {
            **tally.figures(),
            "rows_per_second": round(self.rows_per_second, 1),
            **{f"share_{each}": round(tally.share(each), 4) for each in self.plan.model.labels},
        }

    def to_json(self, records: Mapping[str, Record]) -> str:
        """The manifest of the output: counts, model and parts, without a text."""
        tally, labels = self.tally, self.plan.model.labels
        content: dict[str, Any] = {
            "rows": tally.rows,
            "labels": {
                each: {
                    "rows": tally.labels.get(each, 0),
                    "share": tally.share(each),
                    "mean_probability": tally.mean(each),
                }
                for each in labels
            },
            "no_label": tally.reasons,
            "model": asdict(self.plan.model),
            "input": self.plan.input,
            "sources": [asdict(each) for each in self.plan.sources],
            "parts": [
                {"name": part.name, "rows": part.stop - part.start, "sha256": record.sha256}
                for part in self.plan.parts()
                if (record := records[part.name])
            ],
        }
        return json.dumps(content, indent=2) + "\n"


def render(result: Predictions) -> str:
    """Write the report as a self-contained HTML page."""
    drawn = {
        "labels": data_uri(pictures.labels(result.tally, result.plan.model.labels)),
        "probabilities": data_uri(pictures.probabilities(result.tally)),
    }
    return render_page("predict/report.html.j2", found=result, pictures=drawn)
