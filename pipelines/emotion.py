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
    style: str = "attributed",
    few_shot: int = 3,
    request_budget: int = 200,
    token_budget: int = 0,
    minutes_budget: float = 0.0,
    llm_concurrency: int = 32,
    allow_partial: bool = False,
    near_duplicate_similarity: float = 0.7,
    language: str = "en",
    unsafe_filter: bool = True,
    ledger: str = "",
    dataset: str = "dair-ai/emotion",
    dataset_revision: str = "cab853a1dbdf4c42c2b3ef2173804746df8825fe",
    text_column: str = "text",
    label_column: str = "label",
    label_map: dict[str, str] = {},  # noqa: B006
    test_fraction: float = 0.1,
    validation_fraction: float = 0.1,
    pool: bool = False,
    max_train_rows: int = 0,
    synthetic_per_label: int = 0,
    max_synthetic_share: float = 0.5,
    top_up: bool = False,
    sample_weights: bool = False,
    min_agreement: float = 0.02,
    agreement_action: str = "drop",
    leak_similarity: float = 0.8,
    max_leak_share: float = 0.02,
    max_label_shift: float = 0.1,
    max_invalid_share: float = 0.0,
    max_characters: int = 5000,
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
        models: LLMs that write texts: hub id@commit, vllm:folder, GGUF file, or server URL#name.
        samples_per_label: Texts wanted for each label.
        style: How texts are asked for: `plain`, `attributed`, `longer`, `complex`, or a file.
        few_shot: Real train texts of the label shown in each request; 0 shows the task's examples.
        request_budget: Requests that may be spent on one label of one LLM.
        token_budget: Tokens that one LLM may use; 0 is no bound.
        minutes_budget: Minutes that one LLM may take; 0 is no bound.
        llm_concurrency: Requests to an LLM that are under way at once.
        allow_partial: Go on if an LLM gives too few texts, instead of failing.
        near_duplicate_similarity: Overlap of word shingles from which texts are duplicates.
        language: ISO 639-1 code that texts must be in; empty for any.
        unsafe_filter: Reject texts with profanities.
        ledger: Folder or URI that keeps every answer, so that a new run goes on from there.
        dataset: Real rows: hub id, `sample`, or path or URI of CSV, JSON lines or Parquet.
        dataset_revision: Commit of a hub data set.
        text_column: Column of the data set that holds the texts.
        label_column: Column of the data set that holds the labels.
        label_map: Label of the data set -> label of the task, where they differ.
        test_fraction: Share of real rows to test on, if the data set has no test split.
        validation_fraction: Share of the other real rows to validate on, if it has no split.
        pool: Pool real and synthetic rows before validation is drawn: makes it optimistic.
        max_train_rows: Real rows to train on at most; 0 is all.
        synthetic_per_label: Synthetic rows of a label to train on at most; 0 is all.
        max_synthetic_share: Share of the train rows that may be synthetic.
        top_up: Use synthetic rows only to lift rare labels towards the most frequent one.
        sample_weights: Weigh train rows; needed for agreement_action `weight`.
        min_agreement: Probability of its label that a synthetic row needs from a simple classifier.
        agreement_action: Below min_agreement: `drop`, `weight` less, or `keep`.
        leak_similarity: Overlap of word pairs from which texts of two splits are the same.
        max_leak_share: Share of train rows that may stand in validation or test (they go).
        max_label_shift: Distance of label shares allowed between train and the other splits.
        max_invalid_share: Share of unusable rows that a source may have (they go).
        max_characters: Length beyond which a text is unusable.
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
    with dsl.ParallelFor(models, name="models") as model:
        generated = generate(
            task=task,
            models=models,
            model=model,
            samples_per_label=samples_per_label,
            style=style,
            few_shot=few_shot,
            request_budget=request_budget,
            token_budget=token_budget,
            minutes_budget=minutes_budget,
            llm_concurrency=llm_concurrency,
            allow_partial=allow_partial,
            near_duplicate_similarity=near_duplicate_similarity,
            language=language,
            unsafe_filter=unsafe_filter,
            ledger=ledger,
            dataset=dataset,
            dataset_revision=dataset_revision,
            text_column=text_column,
            label_column=label_column,
            label_map=label_map,
            test_fraction=test_fraction,
            validation_fraction=validation_fraction,
            seed=seed,
        )
    merged = merge(
        synthetic=dsl.Collected(generated.outputs["synthetic"]),
        task=task,
        dataset=dataset,
        dataset_revision=dataset_revision,
        text_column=text_column,
        label_column=label_column,
        label_map=label_map,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        pool=pool,
        max_train_rows=max_train_rows,
        synthetic_per_label=synthetic_per_label,
        max_synthetic_share=max_synthetic_share,
        top_up=top_up,
        sample_weights=sample_weights,
        min_agreement=min_agreement,
        agreement_action=agreement_action,
        leak_similarity=leak_similarity,
        max_leak_share=max_leak_share,
        max_label_shift=max_label_shift,
        max_invalid_share=max_invalid_share,
        max_characters=max_characters,
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
