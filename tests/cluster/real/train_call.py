"""Calls of the train step that are small enough for several pods on a node with two CPUs."""

import uuid

from pipelines.parameters import read_parameters
from tests.cluster.node.object_storage import BUCKET
from tests.cluster.real.step_pod import Call
from tests.images.make import TOP

_SMOKE = TOP / "pipelines" / "params" / "smoke.yaml"
# Masks of dropout depend on the shape of a process's share of a batch.
_SETTINGS = (
    *("train_nodes=2", "train_epochs=2", "train_batch_size=16", "train_max_length=32"),
    *("train_options.dropout=0", "train_options.min_int8_agreement=0"),
    # Two such pods fit besides the step's.
    *("train_options.node_cpu=700m", "train_options.node_memory=2Gi"),
)


def train_parameters(*settings: str) -> dict[str, object]:
    """The parameters of a run that trains on two nodes, with further settings."""
    return read_parameters(_SMOKE, [*_SETTINGS, *settings])


def train_call(dataset_uri: str, *settings: str) -> Call:
    """The train step of such a run; its outputs are its own."""
    folder = f"s3://{BUCKET}/runs/{uuid.uuid4().hex[:6]}"
    outputs = {name: f"{folder}/{name}" for name in ("model", "real_only", "checkpoints")}
    return Call("train", train_parameters(*settings), {"merged": dataset_uri}, outputs)
