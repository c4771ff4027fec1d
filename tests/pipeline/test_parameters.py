"""Parameter sets and overrides."""

from pathlib import Path

import pytest
import yaml

from components.errors import InputError
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.preflight.steps import settings_of
from pipelines.parameters import DEFAULTS, read_parameters

PARAMS = Path(__file__).parents[2] / "pipelines" / "params"
LOCAL = PARAMS / "local.yaml"


@pytest.mark.parametrize("name", ["local", "smoke", "full", "seed"])
def test_a_shipped_set_is_whole_and_valid(name):
    path = PARAMS / f"{name}.yaml"
    assert set(yaml.safe_load(path.read_text())) == set(DEFAULTS)
    assert set(read_parameters(path)) == set(DEFAULTS)


def test_the_defaults_of_the_pipeline_are_the_full_set():
    assert read_parameters(PARAMS / "full.yaml") == dict(DEFAULTS)


def test_seed_is_the_source_recipe():
    seed = read_parameters(PARAMS / "seed.yaml")
    recipe = {
        "samples_per_label": 100,
        "batch_size": 16,
        "learning_rate": 2e-4,
        "epochs": 3,
        "weight_decay": 0.01,
        "max_length": 128,
        "base_model": "distilbert/distilbert-base-uncased",
        "dataset": "dair-ai/emotion",
    }
    assert {name: seed[name] for name in recipe} == recipe
    merged = settings_of(MergeSettings, seed)
    assert merged.pool
    assert merged.validation_fraction == 0.1


def test_options_are_set_one_by_one():
    values = read_parameters(LOCAL, ["merge_options.top_up=true", "generate_options.few_shot=2"])
    assert settings_of(MergeSettings, values).top_up
    generated = settings_of(GenerateSettings, values)
    assert (generated.few_shot, generated.llm_concurrency) == (2, 4)


def test_overrides_win_and_keep_their_types():
    values = read_parameters(LOCAL, ["epochs=1", "dataset=../elsewhere", "learning_rate=1"])
    assert values["epochs"] == 1
    assert values["dataset"] == "../elsewhere"
    assert isinstance(values["learning_rate"], float)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("epoch=1", "epochs"),
        ("epochs=many", "epochs"),
        ("epochs=1.5", "epochs"),
        ("epochs=true", "epochs"),
        ("models=one", "models"),
        ("models=[1]", "models"),
        ("models=[]", "models"),
        ("models=[nowhere]", "nowhere"),
        ("gate=no-such-gate", "no-such-gate"),
        ("registry=ftp://models", "registry"),
        ("train_options.lora_rnak=8", "lora_rank"),
        ("train_options.target_modules=query", "target_modules"),
        ("train_options.accumulation_steps=3", "accumulation_steps"),
        ("evaluate_options.bootstrap_samples=1", "bootstrap_samples"),
        ("deploy_options.canary_percent=100", "canary_percent"),
        ("learning_rate=.nan", "learning_rate"),
        ("peft_method=magic", "peft_method"),
        ("deploy_target=moon", "deploy_target"),
        ("task=no-such-task", "no-such-task"),
        ("epochs", "name=value"),
        ("merge_options.topup=true", "top_up"),
        ("merge_options.top_up=1", "top_up"),
        ("merge_options={seed: 1}", "seed"),
        ("generate_options.few_shot=1.5", "few_shot"),
        ("generate_options.near_duplicate_similarity=2", "near_duplicate_similarity"),
    ],
)
def test_what_a_step_would_refuse_is_refused_before_anything_runs(override, named):
    with pytest.raises(InputError, match=named):
        read_parameters(LOCAL, [override])


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [\n", "just text"])
def test_a_file_that_is_no_parameter_set_is_refused(tmp_path, text):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"odd\.yaml"):
        read_parameters(path)


def test_an_unknown_key_in_a_file_is_named(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("learnign_rate: 8\n")
    with pytest.raises(InputError, match="learning_rate"):
        read_parameters(path)
