"""KFP face of the train step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/train", install_kfp_package=False)
def train(
    merged: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    checkpoints: dsl.Output[dsl.Artifact],
    task: str,
    base_model: str,
    base_model_revision: str,
    peft_method: str,
    lora_rank: int,
    lora_alpha: int,
    lora_dropout: float,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    weight_decay: float,
    warmup_fraction: float,
    max_length: int,
    seed: int,
) -> None:
    """Fine-tune an encoder and export it."""
    from pathlib import Path

    from components.logs import start_logging
    from components.train.run import train
    from components.train.settings import TrainSettings

    start_logging()
    settings = TrainSettings(
        task=task,
        base_model=base_model,
        base_model_revision=base_model_revision,
        peft_method=peft_method,
        lora_rank=lora_rank,
        lora_alpha=lora_alpha,
        lora_dropout=lora_dropout,
        learning_rate=learning_rate,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        warmup_fraction=warmup_fraction,
        max_length=max_length,
        seed=seed,
    )
    history = train(settings, Path(merged.path), Path(model.path), Path(checkpoints.path))
    model.metadata.update(best_epoch=history["best_epoch"], base_model=base_model)
