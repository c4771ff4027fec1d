"""Sentence embeddings: texts as points, of which those are near each other that mean the same.

A sentence encoder is a folder of `tokenizer.json` and `onnx/model.onnx`, as the models of
sentence-transformers on the hub have them; `python -m components.train.export.encoder` makes one
from any encoder of transformers.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from components import storage
from components.artifacts.model.classifier import inference_session
from components.errors import InputError
from components.hub import HUB_ID, PINNED_MODEL

TOKENIZER, GRAPH = "tokenizer.json", "onnx/model.onnx"
"""Files of a sentence encoder."""

_MAKER = "components.train.export.encoder"
_MOST_TOKENS = 128
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_STATES_DIMENSIONS = 3  # texts, tokens, size
_LEAST_LENGTH = 1e-12


class SentenceEncoder:
    """Turns texts, at least one, into vectors of length 1; none is computed twice.

    A vector is the mean of the last hidden states of a text's tokens (Reimers and Gurevych,
    arXiv 1908.10084). Texts are cut to 128 tokens.

    Args:
        folder: Holds the files of a sentence encoder.

    Raises:
        InputError: If a file is missing or is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        for name in (TOKENIZER, GRAPH):
            if not (folder / name).is_file():
                fix = f"Use a model that has it, or make one: python -m {_MAKER}"
                raise InputError(f"encoder {folder}", f"has no {name}", fix)
            storage.require_no_pointer(folder / name)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._session = inference_session(folder / GRAPH, threads=1)
        except Exception as error:  # Both libraries raise what only they define.
            rule = f"cannot be read ({str(error).splitlines()[0]:.200})"
            raise InputError(f"encoder {folder}", rule, "Get the files again") from error
        self._tokenizer.enable_truncation(max_length=_MOST_TOKENS)
        self._tokenizer.no_padding()
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._require_states(folder)
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts: one row each, in their order."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._add(new)
        return np.stack([self._known[text] for text in texts])

    def _add(self, texts: Sequence[str]) -> None:
        tokens = [each.ids for each in self._tokenizer.encode_batch(list(texts))]
        # One by one, since in 8 bits the vector of a text depends on the others in its batch.
        with ThreadPoolExecutor() as pool:
            self._known.update(zip(texts, pool.map(self._embedded, tokens), strict=True))

    def _require_states(self, folder: Path) -> None:
        inputs = f"takes {', '.join(self._inputs)}"
        outputs = [each.shape for each in self._session.get_outputs()]
        if set(self._inputs) <= set(_INPUTS) and len(outputs[0]) == _STATES_DIMENSIONS:
            return
        rule = f"{inputs} and gives shape {outputs[0]}, not hidden states of {', '.join(_INPUTS)}"
        fix = f"Export the encoder without a head, for example with python -m {_MAKER}"
        raise InputError(f"encoder {folder}, {GRAPH}", rule, fix)

    def _embedded(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        ids = np.array([tokens], dtype=np.int64)
        feed = dict(zip(_INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
        states = self._session.run(None, {name: feed[name] for name in self._inputs})[0]
        mean: NDArray[np.float32] = states[0].mean(axis=0)
        return mean / max(float(np.linalg.norm(mean)), _LEAST_LENGTH)


def load_encoder(reference: str, downloads: Path) -> SentenceEncoder:
    """Load a sentence encoder.

    Args:
        reference: `owner/name@commit` of a hub model; or path or URI of a folder, which
            `@sha256:` and its hash may follow.
        downloads: Folder for downloads from object storage.

    Raises:
        InputError: If it is missing, not pinned, or not a sentence encoder.
    """
    hub = PINNED_MODEL.fullmatch(reference)
    if not hub and HUB_ID.fullmatch(reference) and not storage.is_place(reference):
        fix = "Add @ and the 40 digits of a commit, or check the path"
        raise InputError(f"encoder {reference}", "is no folder, and as a hub model not pinned", fix)
    if not hub:
        return SentenceEncoder(storage.fetch(reference, downloads))
    from huggingface_hub import errors, snapshot_download

    try:
        folder = snapshot_download(
            hub["name"], revision=hub["commit"], allow_patterns=[TOKENIZER, f"{GRAPH}*"]
        )
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as error:
        rule = f"cannot be downloaded ({str(error).splitlines()[0]:.200})"
        raise InputError(f"encoder {reference}", rule, "Check its name and the network") from error
    return SentenceEncoder(Path(folder))
