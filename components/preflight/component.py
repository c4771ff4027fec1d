"""KFP face of the preflight step."""

from typing import NamedTuple

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/deploy", install_kfp_package=False)
def preflight(
    run_id: str,
    gpu: dict[str, object],
    serve_image: str,
    task: str,
    seed: int,
    generate_models: list[str],
    generate_samples_per_label: int,
    generate_shards: int,
    generate_style: str,
    generate_options: dict[str, object],
    merge_dataset: str,
    merge_dataset_revision: str,
    merge_test_fraction: float,
    merge_options: dict[str, object],
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
    evaluate_gate: str,
    evaluate_options: dict[str, object],
    deploy_target: str,
    deploy_service_name: str,
    deploy_registry: str,
    deploy_options: dict[str, object],
) -> NamedTuple("Checked", [("Output", list[dict[str, object]]), ("champion_generation", str)]):  # type: ignore[valid-type]
    """Fail in seconds with every reason why the run would fail later.

    Returns for each branch of generate its LLM among all and its shard, under the only name of an
    output that kfp.local loops over, and the generation of the registry's champion.
    """
    import os

    from components.command_line import start_logging
    from components.options import with_options
    from components.preflight.run import branches_of, preflight
    from components.preflight.settings import GpuDemand, Place

    start_logging()
    generation = preflight(
        Place(
            run_id=run_id,
            gpu=with_options(GpuDemand, gpu),
            is_pod="KUBERNETES_SERVICE_HOST" in os.environ,
            llm_api_key=os.environ.get("LLM_API_KEY", ""),
            model_registry_token=os.environ.get("MODEL_REGISTRY_TOKEN", ""),
        ),
        task=task,
        seed=seed,
        generate_models=generate_models,
        generate_samples_per_label=generate_samples_per_label,
        generate_shards=generate_shards,
        generate_style=generate_style,
        generate_options=generate_options,
        merge_dataset=merge_dataset,
        merge_dataset_revision=merge_dataset_revision,
        merge_test_fraction=merge_test_fraction,
        merge_options=merge_options,
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
        evaluate_gate=evaluate_gate,
        evaluate_options=evaluate_options,
        deploy_target=deploy_target,
        deploy_service_name=deploy_service_name,
        deploy_registry=deploy_registry,
        deploy_options=deploy_options,
        deploy_image=serve_image,
    )
    return branches_of(generate_models, generate_shards, generate_options), generation
