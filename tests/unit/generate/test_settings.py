"""The ranges of the settings."""

import pytest

from components.errors import InputError
from components.generate.settings import GenerateSettings

MODELS = ["small.gguf"]


@pytest.mark.parametrize("models", [(), [], "", "small.gguf"])
def test_at_least_one_model_in_a_list_is_wanted(models):
    with pytest.raises(InputError, match=r"models=.*at least one model.*Give a list"):
        GenerateSettings(models=models)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("samples_per_label", 1, 100_000),
        ("request_budget", 1, 1_000_000),
        ("llm_concurrency", 1, 1024),
        ("near_duplicate_similarity", 0.1, 1),
        ("seed", 0, 2**31 - 1),
    ],
)
def test_numbers_have_bounds(name, low, high):
    for value in (low, high):
        assert getattr(GenerateSettings(models=MODELS, **{name: value}), name) == value
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(InputError, match=rf"{name}=.*between"):
            GenerateSettings(models=MODELS, **{name: value})


def test_several_models_share_a_label_without_loss():
    models = ["a.gguf", "b.gguf", "c.gguf"]
    shares = [GenerateSettings(models=models, model=m, samples_per_label=100).quota for m in models]
    assert sum(shares) == 100
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"models": ["a.gguf", "a.gguf"]}, "twice"),
        ({"models": ["a.gguf", "b.gguf"]}, "model=''"),
        ({"models": ["a.gguf"], "model": "b.gguf"}, "b.gguf"),
        ({"models": ["a.gguf", "b.gguf"], "model": "a.gguf", "samples_per_label": 1}, "samples"),
    ],
)
def test_contradictions_are_refused(settings, named):
    with pytest.raises(InputError, match=named):
        GenerateSettings(**settings)
