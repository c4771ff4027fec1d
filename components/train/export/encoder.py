"""An encoder of transformers as a sentence encoder: `python -m components.train.export.encoder`.

generate and merge, whose images have no torch, compare texts by what it writes.
"""

import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from components import storage
from components.artifacts.model.encoder import GRAPH, TOKENIZER, SentenceEncoder
from components.command_line import PATH, command, errors_as_exit, start_logging
from components.train.methods.base_model import locate_encoder

_OPSET = 17
_AXES = {0: "texts", 1: "tokens"}


def export_encoder(base_model: str, revision: str, output: Path) -> None:
    """Write a sentence encoder (see `artifacts.model.encoder`) in 8 bits, whole or not at all.

    Args:
        base_model: Hub id, or path or URI of a folder with a transformers encoder.
        revision: Commit of a hub model, or `sha256:` and the hash of a folder's weights.
        output: Folder to write.

    Raises:
        InputError: If the encoder is missing, not pinned, or cannot be loaded.
    """
    storage.require_replaceable(output, TOKENIZER)
    with TemporaryDirectory() as scratch, storage.staged(output) as folder:
        source = locate_encoder(base_model, revision, Path(scratch))
        (folder / GRAPH).parent.mkdir(parents=True)
        tokenizer = source.tokenizer()
        tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
        whole = Path(scratch) / "float32.onnx"
        _export(source.encoder(), tokenizer, whole)
        _quantise(whole, folder / GRAPH)
        # What cannot be loaded again is not left behind.
        SentenceEncoder(folder)(["A sentence.", "Another one, which is longer."])


def _export(model: Any, tokenizer: Any, path: Path) -> None:
    feed = tokenizer(["A sentence.", "Another."], return_tensors="pt", padding=True)
    inputs = (feed["input_ids"], feed["attention_mask"])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _States(model.eval()),
            inputs,
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_axes=dict.fromkeys(("input_ids", "attention_mask", "last_hidden_state"), _AXES),
            opset_version=_OPSET,
            dynamo=False,
        )


def _quantise(whole: Path, path: Path) -> None:
    """Quantise to 8 bits: three times as fast on a CPU, with cosines of 0.99 to float32."""
    # It logs a line to the root logger for every node it visits.
    logging.disable(logging.WARNING)
    try:
        # Weights in 7 bits: with 8, processors without VNNI overflow in their 16-bit sums.
        quantize_dynamic(
            whole, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    finally:
        logging.disable(logging.NOTSET)


class _States(torch.nn.Module):
    """Gives an encoder a signature of plain tensors, which ONNX needs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Compute the last hidden states, of shape (texts, tokens, size)."""
        states: torch.Tensor = self.model(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        return states


@command()
@click.argument("base_model")
@click.argument("output", type=PATH)
@click.option("--revision", default="", help="Commit of a hub model.")
def main(base_model: str, output: Path, revision: str) -> None:
    """Write a sentence encoder for `merge_options.encoder`.

    BASE_MODEL is a hub id, or path or URI of a folder; OUTPUT is the folder to write.
    """
    start_logging()
    with errors_as_exit("export"):
        export_encoder(base_model, revision, output)


if __name__ == "__main__":
    main()
