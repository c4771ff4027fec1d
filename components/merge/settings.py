"""The user's choices about the data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from components import storage
from components.artifacts.task import label_key
from components.errors import InputError, require_between, require_one_of
from components.hub import HUB_ID
from components.options import shared

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class MergeSettings:
    """Settings of the merge step."""

    STEP: ClassVar[str] = "merge"

    task: str = shared("task", "emotion")
    """Shipped task name, or path or URI of a task file."""
    dataset: str = "sample"
    """`sample`, a hub id, or a path or URI of a file, folder or archive of CSV, TSV, JSON lines or
    Parquet."""
    dataset_revision: str = ""
    """Commit of a hub data set; `sha256:` and the content hash of a file or folder, or empty."""
    dataset_config: str = ""
    """Config of a hub data set that has several; empty for one that has a single one or a default.
    """
    text_column: str = "text"
    """Column of the texts: its name, or its number from 1 in files without a header."""
    label_column: str = "label"
    """Column of the labels: names or ids of the task, or keys of `label_map`; named like
    `text_column`."""
    label_map: Mapping[str, str] = field(default_factory=dict)
    """Label of the data set -> label name of the task, where they differ; all ids, if any."""
    feedback: str = ""
    """More real rows for train alone, labelled by people: path or URI of a file with the columns
    `text` and `label`, such as Label Studio's export as CSV or JSON-MIN; empty for none. Rows
    without a label are left out."""
    test_fraction: float = 0.1
    """Share of the real rows kept for the test split, if the source has none."""
    validation_fraction: float = 0.1
    """Share of the remaining rows for the validation split, if the source has none."""
    pool: bool = False
    """Pool real and synthetic rows before validation is drawn; makes its scores optimistic."""
    max_train_rows: int = 0
    """Real train rows to keep, drawn evenly over the labels' shares; 0 keeps all."""
    synthetic_per_label: int = 0
    """Upper bound of synthetic train rows per label; 0 keeps all."""
    max_synthetic_share: float = 0.5
    """Upper bound of the share of synthetic train rows, which are drawn evenly over the labels."""
    top_up: bool = False
    """Use only as many synthetic rows per label as lift it to the most frequent real label."""
    encoder: str = ""
    """Sentence encoder that compares texts by their meaning, here and in generate:
    owner/name@commit of a hub model with an ONNX file, or path or URI of a folder; empty compares
    words alone."""
    sample_weights: bool = False
    """Add a column `weight` to the train split."""
    synthetic_weight: float = 1.0
    """Weight of the synthetic train rows on average, next to 1 of a real one."""
    weighting: str = "constant"
    """What sets synthetic rows apart by weight: nothing (`constant`), how sure the judge was of the
    label (`confidence`), or how much likelier it is by the real rows than by the others of its kind
    (`importance`)."""
    min_agreement: float = 0.02
    """Lowest probability that a classifier of the real rows may give to a synthetic row's label."""
    agreement_action: str = "drop"
    """Treatment of synthetic rows below `min_agreement`: `drop`, `weight` (less) or `keep`."""
    leak_similarity: float = 0.8
    """Share of common word pairs (Jaccard) from which texts of two splits count as the same."""
    max_leak_share: float = 0.02
    """Share of train rows that may (nearly) be in validation or test; they are removed."""
    max_label_shift: float = 0.1
    """Total variation distance of labels allowed from train to validation and to test."""
    max_invalid_share: float = 0.0
    """Share of a source's rows that may be invalid; they are dropped."""
    max_characters: int = 5000
    """Length beyond which a text is invalid."""
    seed: int = shared("seed", 0)
    """Seed of splits and draws."""

    def __post_init__(self) -> None:
        require_between("test_fraction", self.test_fraction, 0.01, 0.5)
        require_between("validation_fraction", self.validation_fraction, 0.01, 0.5)
        require_between("max_train_rows", self.max_train_rows, 0)
        require_between("synthetic_per_label", self.synthetic_per_label, 0)
        require_between("leak_similarity", self.leak_similarity, 0.6, 1)
        require_between("max_invalid_share", self.max_invalid_share, 0, 0.5)
        require_between("max_characters", self.max_characters, 1, 1_000_000)
        require_between("seed", self.seed, 0, 2**31 - 1)
        for name in ("max_synthetic_share", "min_agreement", "max_leak_share", "max_label_shift"):
            require_between(name, getattr(self, name), 0, 1)
        require_between("synthetic_weight", self.synthetic_weight, 0.01, 100)
        require_one_of("weighting", self.weighting, ("constant", "confidence", "importance"))
        require_one_of("agreement_action", self.agreement_action, ("drop", "weight", "keep"))
        self._require_sources()
        self._require_no_contradiction()

    @property
    def pin(self) -> str:
        """Suffix of the path or URI of the data set that has its content checked."""
        return f"@{self.dataset_revision}" if self.dataset_revision.startswith("sha256:") else ""

    @property
    def hub_pin(self) -> dict[str, str]:
        """What decides the content of a data set on the hub: its revision, and a config if set."""
        config = {"config": self.dataset_config} if self.dataset_config else {}
        return {"revision": self.dataset_revision, **config}

    @property
    def is_on_hub(self) -> bool:
        """True if the data set is on the hub, and is not a file or folder."""
        return not storage.is_place(self.dataset) and bool(HUB_ID.fullmatch(self.dataset))

    def require_pinned(self) -> None:
        """Refuse a hub data set whose revision is not a commit.

        Raises:
            InputError: If `dataset_revision` could move.
        """
        if not _COMMIT.fullmatch(self.dataset_revision):
            rule = f"a hub data set ({self.dataset}) is pinned by a commit of 40 hexadecimal digits"
            fix = "Copy the commit from the data set's page, Files and versions"
            raise InputError(f"dataset_revision={self.dataset_revision!r}", rule, fix)

    def _require_sources(self) -> None:
        try:
            storage.require_readable(self.dataset)
        except InputError as error:
            raise InputError(f"dataset={self.dataset!r}", error.rule, error.fix) from error
        storage.require_readable(self.feedback.partition(storage.PIN)[0])
        if not self.dataset:
            raise InputError("dataset", "is empty", "Name a data set, for example `sample`")
        if self.dataset_config and not self.is_on_hub:
            rule = f"names a config, but {self.dataset} is not on the hub"
            fix = "Leave it out, and give the folder of its files"
            raise InputError(f"dataset_config={self.dataset_config!r}", rule, fix)
        if not self.text_column or not self.label_column or self.text_column == self.label_column:
            thing = f"text_column={self.text_column!r}, label_column={self.label_column!r}"
            raise InputError(thing, "must name two columns", "Name the columns of the data set")
        pairs = self.label_map.items() if isinstance(self.label_map, Mapping) else [(None, None)]
        if not all(isinstance(each, str) and each for pair in pairs for each in pair):
            rule = "must map each label of the data set to a label name of the task, both as texts"
            raise InputError(f"label_map={self.label_map!r}", rule, 'Write {"0": "sadness"}')
        names: dict[str, str] = {}
        for key, name in self.label_map.items():
            if names.setdefault(label_key(key), name) != name:
                rule = f"maps the label {key!r} to {names[label_key(key)]} and to {name}"
                fix = "Map it once: neither case nor `.0` tells labels apart"
                raise InputError("label_map", rule, fix)

    def _require_no_contradiction(self) -> None:
        if self.agreement_action == "weight" and not self.sample_weights:
            fix = "Set sample_weights=true, or agreement_action to drop or keep"
            raise InputError("agreement_action='weight'", "needs the column of weights", fix)
        is_weighted = self.synthetic_weight != 1 or self.weighting != "constant"
        if is_weighted and not self.sample_weights:
            thing = f"synthetic_weight={self.synthetic_weight:g}, weighting={self.weighting!r}"
            raise InputError(thing, "need the column of weights", "Set sample_weights=true")
        if self.pool and self.top_up:
            rule = "contradict each other: pooling takes the synthetic rows as they are"
            raise InputError("pool and top_up", rule, "Turn one of them off")
