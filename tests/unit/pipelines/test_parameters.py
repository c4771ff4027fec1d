"""Parameter sets and overrides."""

from pathlib import Path

import pytest

from components.data_files import read_mapping
from components.errors import InputError
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.options import settings_of
from pipelines.parameters import DEFAULTS, main, read_parameters

PARAMS = Path(__file__).parents[3] / "pipelines" / "params"
LOCAL = PARAMS / "local.yaml"


@pytest.mark.parametrize("name", ["local", "smoke", "full", "seed"])
def test_a_shipped_set_is_valid_and_states_only_what_differs_from_the_defaults(name):
    path = PARAMS / f"{name}.yaml"
    stated = read_mapping(path, "parameter file")
    assert not [key for key, value in stated.items() if DEFAULTS[key] == value]
    assert set(read_parameters(path)) == set(DEFAULTS)


@pytest.mark.parametrize("name", ["local", "seed"])
def test_a_printed_set_states_everything_and_means_the_same(name, tmp_path, capsys):
    path = PARAMS / f"{name}.yaml"
    main(["--params", str(path)], standalone_mode=False)
    printed = tmp_path / "whole.yaml"
    printed.write_text(capsys.readouterr().out)
    assert set(read_mapping(printed, "parameter file")) == set(DEFAULTS)
    assert read_parameters(printed) == read_parameters(path)


def test_the_defaults_of_the_pipeline_are_the_full_set():
    assert read_parameters(PARAMS / "full.yaml") == dict(DEFAULTS)


def test_seed_is_the_source_recipe():
    seed = read_parameters(PARAMS / "seed.yaml")
    recipe = {
        "generate_samples_per_label": 100,
        "train_batch_size": 16,
        "train_learning_rate": 2e-4,
        "train_epochs": 3,
        "train_weight_decay": 0.01,
        "train_max_length": 128,
        "train_base_model": "distilbert/distilbert-base-uncased",
        "merge_dataset": "dair-ai/emotion",
    }
    assert {name: seed[name] for name in recipe} == recipe
    merged = settings_of(MergeSettings, **seed)
    assert merged.pool
    assert merged.validation_fraction == 0.1


def test_options_are_set_one_by_one():
    values = read_parameters(
        PARAMS / "llm.yaml", ["merge_options.top_up=true", "generate_options.few_shot=2"]
    )
    assert settings_of(MergeSettings, **values).top_up
    generated = settings_of(GenerateSettings, **values)
    assert (generated.few_shot, generated.llm_concurrency) == (2, 4)


def test_numbers_are_numbers_and_words_are_words():
    overrides = ["train_learning_rate=1e-3 train_epochs=1e0", "deploy_service_name=on"]
    values = read_parameters(LOCAL, overrides)
    assert (values["train_learning_rate"], values["train_epochs"]) == (1e-3, 1)
    assert values["deploy_service_name"] == "on"


@pytest.mark.parametrize("override", ["epochs=1", "registry=gs://bucket/models"])
def test_an_old_name_is_answered_with_the_new_one(override, tmp_path):
    old, _, value = override.partition("=")
    path = tmp_path / "old.yaml"
    path.write_text(f"{old}: {value}\n")
    for read in (lambda: read_parameters(LOCAL, [override]), lambda: read_parameters(path)):
        with pytest.raises(InputError, match=rf"'{old}': is not known\. Did you mean \w+_{old}"):
            read()


def test_names_of_files_and_commits_are_taken_as_they_stand():
    overrides = [
        "'merge_dataset=rows #1.csv' merge_dataset_revision=1234567",
        "'merge_options.encoder=#1' deploy_options.namespace=123",
    ]
    values = read_parameters(LOCAL, overrides)
    assert (values["merge_dataset"], values["merge_dataset_revision"]) == ("rows #1.csv", "1234567")
    assert values["merge_options"]["encoder"] == "#1"
    assert values["deploy_options"]["namespace"] == "123"


def test_overrides_win_and_keep_their_types():
    values = read_parameters(
        LOCAL, ["train_epochs=1", "merge_dataset=../elsewhere", "train_learning_rate=1"]
    )
    assert values["train_epochs"] == 1
    assert values["merge_dataset"] == "../elsewhere"
    assert isinstance(values["train_learning_rate"], float)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train_epoch=1", "train_epochs"),
        ("train_epochs=many", "epochs"),
        ("train_epochs=1.5", "epochs"),
        ("train_epochs=true", "epochs"),
        ("generate_models=one", "models"),
        ("generate_models=[1]", "generate_model=1"),
        ("generate_models=[]", "models"),
        ("generate_models=[nowhere]", "nowhere"),
        ("evaluate_gate=no-such-gate", "no-such-gate"),
        ("deploy_registry=ftp://models", "registry"),
        ("train_options.lora_rnak=8", "lora_rank"),
        ("train_options.target_modules=query", "target_modules"),
        ("train_options.accumulation_steps=3", "accumulation_steps"),
        ("evaluate_options.bootstrap_samples=1", "bootstrap_samples"),
        ("deploy_options.canary_percent=100", "canary_percent"),
        ("train_learning_rate=.nan", "learning_rate"),
        ("train_peft_method=magic", "peft_method"),
        ("deploy_target=moon", "deploy_target"),
        ("task=no-such-task", "no-such-task"),
        pytest.param(f"task={'x' * 300}", r"task file x+: cannot be read \(File name", id="long"),
        ("task=&x", "task file &x: there is no such file"),
        ("generate_models=a,b", r"must be list, not str\. Write \[a,b\]"),
        ("deploy_registry=gs:/bucket/x", r"registry='gs:/bucket/x': does not name a bucket"),
        ("merge_dataset=gs:/bucket/x", r"merge_dataset='gs:/bucket/x': does not name a bucket"),
        ("merge_dataset=gcs://bucket/x", r"scheme 'gcs' is not known"),
        ("deploy_registry=file://models/reg", "is not the URI of a file on this machine"),
        ("train_epochs", "name=value"),
        ("task.x=3", "Write task=value"),
        ("train_options.=3", "option '': is not known. Use one of"),
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
    path.write_text("train_learnign_rate: 8\n")
    with pytest.raises(InputError, match="learning_rate"):
        read_parameters(path)
