import pytest

from components.errors import InputError
from components.train.settings import ADAPTER_METHODS, WHOLE_METHODS, TrainSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "choice",
    [
        {"peft_method": "magic"},
        {"lora_rank": 0},
        {"lora_alpha": 0},
        {"lora_dropout": 0.95},
        {"lora_dropout": -0.1},
        {"learning_rate": -1e-4},
        {"average_decay": 1.0},
        {"label_smoothing": 1.0},
        {"precision": "float16"},
        {"min_int8_agreement": 1.1},
        {"learning_rate": float("nan")},
        {"epochs": 0},
        {"batch_size": 0},
        {"weight_decay": -0.1},
        {"warmup_fraction": 1.0},
        {"max_length": 7},
        {"seed": -1},
        {"search_trials": -1},
        {"student_layers": 0},
        {"student_feedforward_share": 0.0},
        {"student_variants": -1},
        {"student_epochs": 0},
        {"student_learning_rate": 0.0},
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


@pytest.mark.parametrize("method", [*ADAPTER_METHODS, *WHOLE_METHODS])
def test_every_method_is_taken(method):
    assert TrainSettings(peft_method=method).peft_method == method


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"peft_method": "full", "target_modules": ["query"]}, "target_modules"),
        ({"peft_method": "head", "target_modules": ["query"]}, "target_modules"),
        ({"peft_method": "full", "head_modules": ["pooler"]}, "head_modules"),
        ({"peft_method": "head", "gradient_checkpointing": True}, "gradient_checkpointing"),
        ({"peft_method": "qlora", "torch_compile": True}, "torch_compile"),
        ({"unlabelled_texts": "texts.txt"}, "unlabelled_texts='texts.txt': is for a student"),
        ({"batch_size": 16, "accumulation_steps": 3}, "batch_size=16: cannot be shared evenly"),
        ({"batch_size": 4, "accumulation_steps": 2, "processes": 4}, "among 8 passes"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(choice, named):
    with pytest.raises(InputError, match=named):
        TrainSettings(**choice)
