import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.processors import BertProcessing
from transformers import AutoModelForSequenceClassification, GPT2Config, T5Config

from components.errors import InputError
from components.train.methods.attachments import ATTACHMENTS
from components.train.methods.declared import positions_of
from components.train.methods.reading import require_readable
from tests.tiny_encoder import tiny_classifier

# Of 40 positions, as `tiny_classifier` makes them, these do not count those of padding.
OFFSET = {"roberta": 2, "xlm-roberta": 2, "mpnet": 2}
BY_POSITIONS = ["bert", "electra", "deberta", "deberta-v2", "albert", *OFFSET]


class Tokens:
    """The face of a tokenizer that counts here."""

    def __init__(self, vocabulary=50, pad=0, **changes):
        self.pad_token_id = pad
        self._vocabulary = {f"token{place}": place for place in range(vocabulary)}
        words = WordLevel(self._vocabulary, **{"unk_token": "token3", **changes})
        self.backend_tokenizer = Tokenizer(words)
        special = [("token1", 1), ("token2", 2)]
        self.backend_tokenizer.post_processor = BertProcessing(*special)

    def get_vocab(self):
        return self._vocabulary


@pytest.mark.parametrize("pad", [None, 0])
@pytest.mark.parametrize("architecture", BY_POSITIONS)
def test_the_longest_text_that_an_encoder_reads_is_found(architecture, pad):
    model = tiny_classifier(architecture)
    most = 40 - OFFSET.get(architecture, 0)
    if architecture in ATTACHMENTS:
        assert positions_of(model.config.to_dict()) == most
    tokens = Tokens(pad=model.config.pad_token_id if pad is None else pad)

    require_readable("base", model, tokens, most)
    for length in (most + 1, 128):
        message = rf"max_length={length}: exceeds the {most} tokens .* Choose at most {most}\."
        with pytest.raises(InputError, match=message):
            require_readable("base", model, tokens, length)


def test_no_random_numbers_are_drawn():
    model = tiny_classifier("bert")
    before = torch.get_rng_state()
    require_readable("base", model, Tokens(), 32)

    assert torch.equal(torch.get_rng_state(), before)


def test_a_tokenizer_without_padding_is_refused():
    with pytest.raises(InputError, match="base: has a tokenizer without a padding token"):
        require_readable("base", tiny_classifier("bert"), Tokens(pad=None), 32)


def test_a_tokenizer_that_does_not_know_every_character_is_refused():
    tokens = Tokens(unk_token="none")  # noqa: S106
    with pytest.raises(InputError, match=r"base: has a tokenizer that cannot read every text \("):
        require_readable("base", tiny_classifier("bert"), tokens, 32)


def test_a_tokenizer_that_may_give_no_tokens_is_refused():
    tokens = Tokens()
    tokens.backend_tokenizer.post_processor = None
    with pytest.raises(InputError, match="base: has a tokenizer that adds no special tokens"):
        require_readable("base", tiny_classifier("bert"), tokens, 32)


def test_a_token_without_an_embedding_is_refused():
    model = tiny_classifier("bert")
    with pytest.raises(InputError, match=r"has 50 embeddings, but .* 'token50' as token 50"):
        require_readable("base", model, Tokens(vocabulary=60), 32)
    model.resize_token_embeddings(60)
    require_readable("base", model, Tokens(vocabulary=60), 32)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        # A decoder without a padding token of its own, and one that has nothing to start with.
        (GPT2Config(vocab_size=50, n_embd=32, n_layer=1, n_head=2), "Cannot handle batch sizes"),
        (T5Config(vocab_size=50, d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2), ".*"),
    ],
)
def test_a_model_that_cannot_read_a_batch_is_refused(config, reason):
    model = AutoModelForSequenceClassification.from_config(config)

    with pytest.raises(InputError, match=rf"base: cannot read texts \({reason}"):
        require_readable("base", model, Tokens(), 32)
