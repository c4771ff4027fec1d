"""A student: a classifier with a part of its teacher's layers, and of the units in them."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch

_FEEDFORWARD = {"distilbert": ("hidden_dim", "ffn.lin1", "ffn.lin2")}
_FEEDFORWARD_OTHERWISE = ("intermediate_size", "intermediate.dense", "output.dense")
"""The number of units in an architecture's configuration, and the modules before and after them."""

_UNITS_TOGETHER = 64
"""Units are kept in such numbers, by which processors and GPUs multiply."""


def student_of(teacher: Any, layers: int, feedforward_share: float) -> Any:
    """Copy a classifier with fewer layers, which are spread evenly over those of the teacher.

    The embeddings, the last layer and the head are always among what is copied. All but the word
    embeddings is to be trained.

    Args:
        teacher: A transformers sequence classifier of an architecture in `ATTACHMENTS`.
        layers: Layers of the student, from 1 to those of the teacher.
        feedforward_share: Share of the units of each feed-forward layer that is kept, in
            multiples of 64.

    Source: Sanh et al. 2019, arXiv 1910.01108, section 3, for layers; Li et al. 2017,
        arXiv 1608.08710, section 3.1, for units.
    """
    student = deepcopy(teacher)
    path, every = _layers_of(student)
    kept = [every[place] for place in _spread(layers, len(every))]
    student.set_submodule(path, torch.nn.ModuleList(kept))
    student.config.num_hidden_layers = layers
    _keep_units(student, kept, feedforward_share)
    # What an adapter was merged into is still frozen.
    student.requires_grad_(True)
    # They are most of the weights: their optimiser's steps would take longer than all the rest.
    student.get_input_embeddings().requires_grad_(False)
    return student


def _layers_of(model: Any) -> tuple[str, torch.nn.ModuleList]:
    """The list of an encoder's layers, and the path to it."""
    count = getattr(model.config, "num_hidden_layers", 0)
    found = [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    ]
    (only,) = found
    return only


def _spread(kept: int, count: int) -> list[int]:
    """Places of layers from the first to the last; of a single one, that of the last."""
    if kept == 1:
        return [count - 1]
    return [round(place * (count - 1) / (kept - 1)) for place in range(kept)]


def _keep_units(student: Any, layers: Sequence[Any], share: float) -> None:
    """Keep the units of feed-forward layers whose weights are largest."""
    name, *paths = _FEEDFORWARD.get(student.config.model_type, _FEEDFORWARD_OTHERWISE)
    size = getattr(student.config, name)
    kept = min(size, max(1, round(share * size / _UNITS_TOGETHER)) * _UNITS_TOGETHER)
    for layer in layers:
        into, out = (layer.get_submodule(path) for path in paths)
        weight = into.weight.norm(dim=1) * out.weight.norm(dim=0)
        units = weight.topk(kept).indices.sort().values
        into.weight.data, into.bias.data = into.weight.data[units], into.bias.data[units]
        out.weight.data = out.weight.data[:, units].contiguous()
        into.out_features = out.in_features = kept
    setattr(student.config, name, kept)
