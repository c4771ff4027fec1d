"""What a student is, and what it learns from."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from components.errors import InputError
from components.train.distillation.lessons import probabilities
from components.train.distillation.student import student_of
from components.train.distillation.texts import texts_of
from components.train.distillation.variants import varied
from components.train.methods.attachments import ATTACHMENTS
from components.train.settings import TrainSettings
from tests.tiny_encoder import tiny_classifier, write_tiny_encoder

IDS = torch.arange(2, 26).reshape(2, 12)
TEXTS = ["i feel so happy today", "nobody came", "no", "he left her alone in the cold rain again"]


def logits(model):
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_a_student_has_some_of_the_layers_and_all_else(architecture):
    teacher = tiny_classifier(architecture).requires_grad_(False)
    student, copy = student_of(teacher, 1, 1.0), student_of(teacher, 2, 1.0)
    weights, of_teacher = student.state_dict(), teacher.state_dict()

    torch.testing.assert_close(logits(copy), logits(teacher))
    assert not torch.allclose(logits(student), logits(teacher))
    assert student.config.num_hidden_layers == 1
    words = student.get_input_embeddings().weight
    assert all(each.requires_grad == (each is not words) for each in student.parameters())
    assert not any(each.requires_grad for each in teacher.parameters())
    # Of a single layer the place is that of the last one.
    for name, each in weights.items():
        torch.testing.assert_close(each, of_teacher[name.replace("layer.0.", "layer.1.")])


def test_its_layers_are_spread_from_the_first_to_the_last():
    teacher = tiny_classifier("bert", num_hidden_layers=6)
    for count, places in {1: [5], 2: [0, 5], 3: [0, 2, 5], 6: range(6)}.items():
        kept = student_of(teacher, count, 1.0).bert.encoder.layer
        for layer, place in zip(kept, places, strict=True):
            expected = teacher.bert.encoder.layer[place].output.dense.weight
            torch.testing.assert_close(layer.output.dense.weight, expected)


@pytest.mark.parametrize("architecture", ATTACHMENTS)
def test_a_student_keeps_the_units_that_matter(architecture, tmp_path):
    name = "hidden_dim" if architecture == "distilbert" else "intermediate_size"
    teacher = tiny_classifier(architecture, **{name: 128})
    strong = range(1, 128, 2)
    with torch.no_grad():
        for module in teacher.modules():
            # What weak units pass on is nothing, so that a student without them says the same.
            if isinstance(module, torch.nn.Linear) and module.in_features == 128:
                module.weight[:, [unit for unit in range(128) if unit not in strong]] = 0
    student = student_of(teacher, 2, 0.5)

    assert getattr(student.config, name) == 64
    torch.testing.assert_close(logits(student), logits(teacher))
    student.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    torch.testing.assert_close(logits(again), logits(teacher))


@given(
    st.lists(st.text(alphabet="abc \t\u00e9\U0001f600", max_size=30), min_size=1, max_size=6),
    st.integers(0, 3),
    st.integers(0, 5),
)
def test_variants_are_made_of_the_words_of_the_texts(texts, count, seed):
    found = varied(texts, count, seed)

    assert len(found) == count * len(texts)
    assert found == varied(texts, count, seed)
    words = {word for text in texts for word in text.split()}
    for place, text in enumerate(found):
        assert set(text.split()) <= words
        assert text or not texts[place % len(texts)].split()


def test_variants_differ_from_their_text_and_from_each_other():
    found = varied(TEXTS[-1:] * 50, 2, seed=0)
    assert len(set(found)) > 60


def test_a_student_reads_unlabelled_texts_too(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes("\ufeffWhat a day!\r\n\n  \nNot\u2028again.".encode())
    settings = TrainSettings(distill=True, unlabelled_texts=str(path), student_variants=2)
    found = texts_of(TEXTS, settings)

    assert found[:6] == [*TEXTS, "What a day!", "Not\u2028again."]
    assert len(found) == 18


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\n \n", "holds no text"),
        (b"\xff\xfe", "is not a UTF-8 text file"),
        (b"word " * 2**22, "has more than 16 MiB"),
    ],
)
def test_a_file_that_is_none_of_texts_is_refused(content, rule, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(content)
    settings = TrainSettings(distill=True, unlabelled_texts=str(path))
    with pytest.raises(InputError, match=f"unlabelled_texts {path}: {rule}.*at most 16 MiB"):
        texts_of([], settings)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return AutoTokenizer.from_pretrained(write_tiny_encoder(tmp_path_factory.mktemp("tiny")))


def test_the_teachers_probabilities_come_in_the_order_of_the_texts(tokenizer):
    teacher = tiny_classifier("bert", vocab_size=tokenizer.vocab_size)
    encoded = tokenizer(TEXTS)
    lengths = [len(each) for each in encoded["input_ids"]]
    rows = Dataset.from_dict({**encoded, "length": lengths})
    found = probabilities(teacher, rows, tokenizer, TrainSettings(precision="float32"))

    with torch.no_grad():
        one_by_one = [
            teacher(**tokenizer(text, return_tensors="pt")).logits.softmax(1)[0] for text in TEXTS
        ]
    np.testing.assert_allclose(found, torch.stack(one_by_one), atol=1e-6)
