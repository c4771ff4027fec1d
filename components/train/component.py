"""KFP face of the train step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/train", install_kfp_package=False)
def train(
    merged: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    real_only: dsl.Output[dsl.Model],
    checkpoints: dsl.Output[dsl.Artifact],
    task: str,
    train_base_model: str,
    train_base_model_revision: str,
    train_peft_method: str,
    train_learning_rate: float,
    train_epochs: int,
    train_batch_size: int,
    train_weight_decay: float,
    train_max_length: int,
    train_nodes: int,
    train_options: dict[str, object],
    train_search_trials: int,
    train_search_parallel: int,
    train_ablation: bool,
    seed: int,
) -> None:
    """Fine-tune an encoder and export it."""
    import os
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import settings_of
    from components.train.settings import TrainSettings
    from components.train.step import Artifact, Artifacts, train_step

    start_logging()
    artifacts = [
        Artifact(Path(each.path), each.uri) for each in (merged, model, real_only, checkpoints)
    ]
    history = train_step(
        settings_of(
            TrainSettings,
            task=task,
            train_base_model=train_base_model,
            train_base_model_revision=train_base_model_revision,
            train_peft_method=train_peft_method,
            train_learning_rate=train_learning_rate,
            train_epochs=train_epochs,
            train_batch_size=train_batch_size,
            train_weight_decay=train_weight_decay,
            train_max_length=train_max_length,
            train_nodes=train_nodes,
            train_options=train_options,
            train_search_trials=train_search_trials,
            train_search_parallel=train_search_parallel,
            train_ablation=train_ablation,
            seed=seed,
        ),
        Artifacts(*artifacts),
        pod_name=os.environ.get("KFP_POD_NAME", ""),
    )
    model.metadata.update(best_epoch=history.best_epoch, base_model=train_base_model)
