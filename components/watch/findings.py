"""What a watch found, as numbers: the artifact `findings`, which holds no texts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from components.artifacts.evaluation.profile import Profile
from components.watch.drift import LABELS, Shift

DRIFT, NO_DRIFT, TOO_FEW = "drift", "no drift", "too few texts"
"""The verdicts."""


@dataclass(frozen=True)
class Findings:
    """What a watch found.

    Args:
        verdict: One of the verdicts.
        model_version: The sha256 that identifies the model.
        requests_read: Requests in the payload log.
        requests: Requests of the sample whose texts were measured.
        refused: Requests of the sample that got an error.
        classified: Texts that were classified again.
        expected_accuracy: Mean probability of the predicted labels: the share of right answers
            that the model expects of itself, 0 to 1.
        expected_confusion: Expected counts by [true label id][predicted label id].
        shifts: Each measure, the largest shift first.
        reference: Profile that is compared with.
        profile: Profile of the traffic; None without a text.
        problems: Number of records and files that could not be used, by reason.
        places: The first of them by reason.
    """

    verdict: str
    model_version: str
    requests_read: int
    requests: int
    refused: int
    classified: int
    expected_accuracy: float
    expected_confusion: tuple[tuple[int, ...], ...]
    shifts: tuple[Shift, ...]
    reference: Profile
    profile: Profile | None
    problems: Mapping[str, int]
    places: Mapping[str, str]

    @property
    def texts(self) -> int:
        """Number of texts that were measured."""
        return self.profile.rows if self.profile else 0

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the measures that drifted, the largest shift first."""
        return tuple(each.measure for each in self.shifts if each.is_drift)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.verdict == TOO_FEW:
            return f"{self.texts:,} texts are too few for a verdict"
        said = f"drift in {', '.join(self.drifted)}" if self.drifted else "no drift"
        return f"{said}, in {self.texts:,} texts of {self.requests:,} requests"

    def figures(self) -> dict[str, float]:
        """The main figures by name, as a list of runs shows them."""
        distances = {each.measure: each.distance for each in self.shifts}
        shown = (LABELS, "words", "tokens per word", "unknown tokens", "confidence")
        return {
            "drift": float(self.verdict == DRIFT),
            "drifted_measures": float(len(self.drifted)),
            "texts": float(self.texts),
            "requests": float(self.requests),
            "unusable_records": float(sum(self.problems.values())),
            "expected_accuracy": self.expected_accuracy,
            **{f"distance_{name.replace(' ', '_')}": distances.get(name, 0.0) for name in shown},
        }

    def to_json(self) -> str:
        """All of it as JSON; a later watch may take it as its reference."""
        return json.dumps({**asdict(self), "drifted": self.drifted}, indent=2) + "\n"
