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
    """Fine-tune an encoder and export it.

    With `search_trials` its settings are searched for first; with `ablation` it is trained a
    second time on real rows alone.
    """
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import with_options
    from components.train.launch import train_in_processes
    from components.train.search.tuned import tuned
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
    )
    dataset, folder = Path(merged.path), Path(checkpoints.path)
    if search_trials:
        settings = tuned(settings, dataset, search_trials, folder / "search" / "study.sqlite")
    history = train_in_processes(settings, dataset, Path(model.path), folder / "all")
    model.metadata.update(best_epoch=history.best_epoch, base_model=base_model)
    Path(real_only.path).mkdir(parents=True, exist_ok=True)
    if ablation:
        train_in_processes(
            settings, dataset, Path(real_only.path), folder / "real_only", real_only=True
        )
