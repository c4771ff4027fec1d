"""KFP face of the train step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/train", install_kfp_package=False)
def train(
    merged: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    real_only: dsl.Output[dsl.Model],
    checkpoints: dsl.Output[dsl.Artifact],
    task: str,
    base_model: str,
    base_model_revision: str,
    peft_method: str,
    learning_rate: float,
    epochs: int,
    batch_size: int,
    weight_decay: float,
    max_length: int,
    train_options: dict[str, object],
    search_trials: int,
    ablation: bool,
    seed: int,
) -> None:
    """Fine-tune an encoder and export it."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import with_options
    from components.train.run import train
    from components.train.settings import TrainSettings

    start_logging()
    settings = with_options(
        TrainSettings,
        train_options,
        task=task,
        base_model=base_model,
        base_model_revision=base_model_revision,
        peft_method=peft_method,
        learning_rate=learning_rate,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        max_length=max_length,
        seed=seed,
        search_trials=search_trials,
        ablation=ablation,
    )
    history = train(
        settings,
        dataset=Path(merged.path),
        model=Path(model.path),
        real_only=Path(real_only.path),
        checkpoints=Path(checkpoints.path),
    )
    model.metadata.update(best_epoch=history.best_epoch, base_model=base_model)
