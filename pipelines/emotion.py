"""The pipeline's graph, and nothing else."""

from kfp import dsl

from components.deploy.component import deploy
from components.evaluate.component import evaluate
from components.generate.component import generate
from components.merge.component import merge
from components.train.component import train
from pipelines.resources import place


@dsl.pipeline(name="emotion", description="From a label list and an LLM to a served classifier.")
def emotion(
    task: str = "emotion",
    seed: int = 0,
    models: list[str] = [  # noqa: B006
        "mistralai/Mistral-7B-Instruct-v0.3@c170c708c41dac9275d15a8fff4eca08d52bab71"
    ],
    samples_per_label: int = 100,
    request_budget: int = 200,
    llm_concurrency: int = 32,
    allow_partial: bool = False,
    dataset: str = "dair-ai/emotion",
    dataset_revision: str = "cab853a1dbdf4c42c2b3ef2173804746df8825fe",
    test_fraction: float = 0.1,
    validation_fraction: float = 0.1,
    max_train_rows: int = 0,
    base_model: str = "distilbert/distilbert-base-uncased",
    base_model_revision: str = "12040accade4e8a0f71eabdb258fecc2e7e948be",
    peft_method: str = "lora",
    lora_rank: int = 16,
    lora_alpha: int = 32,
    lora_dropout: float = 0.1,
    learning_rate: float = 1e-3,
    epochs: int = 5,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    warmup_fraction: float = 0.06,
    max_length: int = 128,
    min_accuracy: float = 0.9,
    min_macro_f1: float = 0.85,
    deploy_target: str = "render",
    service_name: str = "emotion",
) -> None:
    """From a label list and an LLM to a served classifier.

    Args:
        task: Labels and their meaning: `emotion`, or the path or URI of a task file.
        seed: Seed of prompts, splits and training.
        models: LLMs that write texts: hub id@commit, path of a GGUF file, or server URL#name.
        samples_per_label: Texts wanted for each label.
        request_budget: Requests that may be spent on one label of one LLM.
        llm_concurrency: Requests to an LLM that are under way at once.
        allow_partial: Go on if an LLM gives too few texts, instead of failing.
        dataset: Real rows: hub id, `sample`, or path or URI of CSV, JSON lines or Parquet.
        dataset_revision: Commit of a hub data set.
        test_fraction: Share of real rows to test on, if the data set has no test split.
        validation_fraction: Share of the other real rows to validate on, if it has no split.
        max_train_rows: Real rows to train on at most; 0 is all.
        base_model: Encoder to fine-tune: hub id, or path or URI of a folder.
        base_model_revision: Commit of a hub model, or sha256: and hash of a folder's weights.
        peft_method: `lora`, `rslora` or `dora`.
        lora_rank: Rank of the adapter.
        lora_alpha: Scale of the adapter.
        lora_dropout: Dropout before the adapter.
        learning_rate: Peak learning rate.
        epochs: Passes over the train split; the best is kept.
        batch_size: Texts a training step.
        weight_decay: Weight decay of AdamW.
        warmup_fraction: Share of the steps in which the learning rate rises.
        max_length: Tokens a text is cut to.
        min_accuracy: Gate: accuracy on the test split must reach this.
        min_macro_f1: Gate: macro-F1 on the test split must reach this.
        deploy_target: `local` tries the predictor out in the step, `render` writes the manifest.
        service_name: Name of the inference service.
    """
    generated = generate(
        task=task,
        models=models,
        samples_per_label=samples_per_label,
        request_budget=request_budget,
        llm_concurrency=llm_concurrency,
        allow_partial=allow_partial,
        seed=seed,
    )
    merged = merge(
        synthetic=generated.outputs["synthetic"],
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        max_train_rows=max_train_rows,
        seed=seed,
    )
    trained = train(
        merged=merged.outputs["merged"],
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
    evaluated = evaluate(
        model=trained.outputs["model"],
        merged=merged.outputs["merged"],
        task=task,
        min_accuracy=min_accuracy,
        min_macro_f1=min_macro_f1,
        seed=seed,
    )
    with dsl.If(evaluated.outputs["Output"] == "pass", name="gate"):
        deployed = deploy(
            model=trained.outputs["model"],
            merged=merged.outputs["merged"],
            evaluation=evaluated.outputs["evaluation"],
            task=task,
            deploy_target=deploy_target,
            service_name=service_name,
            run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        ).set_caching_options(False)
    place(generate=generated, merge=merged, train=trained, evaluate=evaluated, deploy=deployed)
