import pytest

from components.checks import InputError
from components.train.settings import TrainSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "choice",
    [
        {"peft_method": "full"},
        {"lora_rank": 0},
        {"lora_alpha": 0},
        {"lora_dropout": 0.95},
        {"lora_dropout": -0.1},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"epochs": 0},
        {"batch_size": 0},
        {"weight_decay": -0.1},
        {"warmup_fraction": 1.0},
        {"max_length": 7},
        {"seed": -1},
        {"seed": 2**31},
    ],
)
def test_values_out_of_range_are_refused_by_name(choice):
    (name, value) = next(iter(choice.items()))
    with pytest.raises(InputError) as refused:
        TrainSettings(**choice)

    assert refused.value.thing == f"{name}={value!r}"


@pytest.mark.parametrize(
    "revision", ["main", "v1.0", COMMIT[:-1], COMMIT + "0", COMMIT.upper(), f"sha256:{COMMIT}"]
)
def test_a_revision_that_could_move_is_refused(revision):
    with pytest.raises(InputError, match=f"base_model_revision='{revision}'.*40 hexadecimal"):
        TrainSettings(base_model_revision=revision)


@pytest.mark.parametrize("revision", ["", COMMIT, "sha256:" + 64 * "a"])
def test_a_commit_or_a_hash_or_none_is_taken(revision):
    assert TrainSettings(base_model_revision=revision).base_model_revision == revision


@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
def test_the_three_methods_are_known(method):
    assert TrainSettings(peft_method=method).peft_method == method
