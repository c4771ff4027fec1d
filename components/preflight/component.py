"""KFP face of the preflight step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/deploy", install_kfp_package=False)
def preflight(
    run_id: str,
    gpu: dict[str, object],
    serve_image: str,
    task: str,
    seed: int,
    models: list[str],
    samples_per_label: int,
    style: str,
    generate_options: dict[str, object],
    dataset: str,
    dataset_revision: str,
    test_fraction: float,
    merge_options: dict[str, object],
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
    gate: str,
    registry: str,
    evaluate_options: dict[str, object],
    deploy_target: str,
    service_name: str,
    deploy_options: dict[str, object],
) -> str:
    """Fail in seconds, with all that would make the run fail later.

    Returns the generation of the registry's champion.
    """
    values = dict(locals())
    import os

    from components.artifacts.registry import generation_of
    from components.command_line import start_logging
    from components.options import with_options
    from components.preflight.run import preflight
    from components.preflight.settings import Gpu, Place

    start_logging()
    values["image"] = values.pop("serve_image")
    place = Place(
        run_id=values.pop("run_id"),
        gpu=with_options(Gpu, values.pop("gpu")),
        is_pod="KUBERNETES_SERVICE_HOST" in os.environ,
        llm_api_key=os.environ.get("LLM_API_KEY", ""),
    )
    preflight(values, place)
    return generation_of(registry)
