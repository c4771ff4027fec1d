"""The pipeline's graph, and nothing else."""

from functools import partial
from typing import Any

from kfp import dsl

from components.deploy.component import deploy
from components.evaluate.component import evaluate
from components.generate.component import generate
from components.merge.component import merge
from components.outcome.component import outcome
from components.preflight.component import preflight
from components.train.component import train
from pipelines.compile.placement import place
from pipelines.compile.settings import PLAIN, CompileSettings

NAME = "emotion"
DESCRIPTION = (
    "From a label list and an LLM to a served classifier: an LLM writes sentences, they "
    "are merged with real ones, an encoder is fine-tuned and evaluated, and if it passes its gate "
    "it is deployed."
)
MINILM = "sentence-transformers/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3@c170c708c41dac9275d15a8fff4eca08d52bab71"


def emotion_for(settings: CompileSettings) -> Any:
    """The pipeline for a cluster.

    Args:
        settings: Settings of the cluster.

    Returns:
        A KFP pipeline; its parameters are the same for every cluster.
    """
    placed = partial(place, settings)
    run_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER

    @dsl.pipeline(name=NAME, description=DESCRIPTION, pipeline_config=settings.run.config)
    def emotion(
        task: str = "emotion",
        seed: int = 0,
        generate_models: list[str] = [MISTRAL],
        generate_samples_per_label: int = 100,
        generate_shards: int = 1,
        generate_style: str = "attributed",
        generate_options: dict[str, object] = {"few_shot": 3, "judge": "same"},
        merge_dataset: str = "dair-ai/emotion",
        merge_dataset_revision: str = "cab853a1dbdf4c42c2b3ef2173804746df8825fe",
        merge_test_fraction: float = 0.1,
        merge_options: dict[str, object] = {"encoder": MINILM},
        train_base_model: str = "distilbert/distilbert-base-uncased",
        train_base_model_revision: str = "12040accade4e8a0f71eabdb258fecc2e7e948be",
        train_peft_method: str = "lora",
        train_learning_rate: float = 0.0,
        train_epochs: int = 5,
        train_batch_size: int = 32,
        train_weight_decay: float = 0.01,
        train_max_length: int = 128,
        train_nodes: int = 1,
        train_options: dict[str, object] = {},
        train_search_trials: int = 0,
        train_search_parallel: int = 1,
        train_ablation: bool = False,
        evaluate_gate: str = "release",
        evaluate_options: dict[str, object] = {},
        deploy_target: str = "render",
        deploy_service_name: str = "emotion",
        deploy_registry: str = "",
        deploy_options: dict[str, object] = {},
    ) -> None:
        """From a label list and an LLM to a served classifier.

        Args:
            task: Labels and their meaning: `emotion`, or the path or URI of a task file.
            seed: Seed of prompts, splits and training.
            generate_models: LLMs: hub id@commit, vllm:folder, GGUF file, URL#name, recorded:ledger.
            generate_samples_per_label: Texts wanted per label, from all LLMs together.
            generate_shards: Branches per LLM, each a pod that writes its share of the texts.
            generate_style: Way to ask: `plain`, `attributed`, `varied`, `everyday`, or a file.
            generate_options: Other settings of generate by name: components/generate/settings.py.
            merge_dataset: Real rows: hub id, `sample`, or path or URI of CSV, JSON lines, Parquet.
            merge_dataset_revision: Commit of a hub data set, or sha256: and hash of its content.
            merge_test_fraction: Share of real rows to test on, if the data set has no test split.
            merge_options: Other settings of merge by name: components/merge/settings.py.
            train_base_model: Encoder to fine-tune: hub id, or path or URI of a folder.
            train_base_model_revision: Commit of a hub model, or sha256: and hash of its weights.
            train_peft_method: `lora`, `qlora`, `dora`, `rslora`, `lora+`, `pissa`, `ia3`, `full`,
                or `head`.
            train_learning_rate: Peak learning rate; 0 takes the method's default.
            train_epochs: Passes over the train split; the best one is kept.
            train_batch_size: Texts per training step.
            train_weight_decay: Weight decay of AdamW.
            train_max_length: Tokens that a text is cut to.
            train_nodes: Pods that train, by Kubeflow Trainer; 1 trains in the step's own pod.
            train_options: Other settings of train by name: components/train/settings.py.
            train_search_trials: Trainings that search settings: components/train/search/space.yaml.
            train_search_parallel: Of these at a time, by Katib; 1 searches in the step's own pod.
            train_ablation: Also train on real rows only, to learn what synthetic ones are worth.
            evaluate_gate: Demands on a model: `release`, `sample`, `seed`, `smoke`, or a file.
            evaluate_options: Other settings of evaluate by name: components/evaluate/settings.py.
            deploy_target: `local` tests the predictor in the step, `render` writes the manifest,
                `kserve` puts the model into service.
            deploy_service_name: Name of the inference service.
            deploy_registry: Folder, or gs:// or s3:// URI, of released models; may be empty.
            deploy_options: Other settings of deploy by name: components/deploy/settings.py.
        """
        recorded = placed(
            outcome(pipeline=NAME, run_id=run_id, deploy_registry=deploy_registry)
        ).set_caching_options(False)
        with dsl.ExitHandler(recorded, name="all steps (open)"):
            checked = placed(
                preflight(
                    run_id=run_id,
                    gpu=settings.gpu_demand,
                    serve_image=settings.serve_image,
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
                )
            ).set_caching_options(False)
            # KFP does not resolve a looped list inside its loop: each item holds what it must know.
            with dsl.ParallelFor(checked.outputs["Output"], name="a branch per LLM") as branch:
                generated = placed(
                    generate(
                        task=task,
                        seed=seed,
                        branch=branch,
                        generate_samples_per_label=generate_samples_per_label,
                        generate_style=generate_style,
                        generate_options=generate_options,
                        merge_dataset=merge_dataset,
                        merge_dataset_revision=merge_dataset_revision,
                        merge_test_fraction=merge_test_fraction,
                        merge_options=merge_options,
                    )
                )
            merged = placed(
                merge(
                    task=task,
                    seed=seed,
                    synthetic=dsl.Collected(generated.outputs["synthetic"]),
                    merge_dataset=merge_dataset,
                    merge_dataset_revision=merge_dataset_revision,
                    merge_test_fraction=merge_test_fraction,
                    merge_options=merge_options,
                )
            ).outputs["merged"]
            trained = placed(
                train(
                    task=task,
                    seed=seed,
                    merged=merged,
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
                )
            ).outputs
            evaluated = placed(
                evaluate(
                    task=task,
                    seed=seed,
                    merged=merged,
                    model=trained["model"],
                    real_only=trained["real_only"],
                    champion_generation=checked.outputs["champion_generation"],
                    evaluate_gate=evaluate_gate,
                    evaluate_options=evaluate_options,
                    deploy_registry=deploy_registry,
                )
            ).outputs
            with dsl.If(evaluated["Output"] == "pass", name="if it passes"):
                placed(
                    deploy(
                        run_id=run_id,
                        run_name=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
                        serve_image=settings.serve_image,
                        task=task,
                        model=trained["model"],
                        merged=merged,
                        evaluation=evaluated["evaluation"],
                        card=evaluated["card"],
                        deploy_target=deploy_target,
                        deploy_service_name=deploy_service_name,
                        deploy_registry=deploy_registry,
                        deploy_options=deploy_options,
                    )
                ).set_caching_options(False)

    return emotion


emotion = emotion_for(PLAIN)
"""The pipeline for any cluster, whose parameters have the defaults above."""
