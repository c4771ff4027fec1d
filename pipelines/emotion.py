"""The pipeline's graph, and nothing else."""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from kfp import dsl

from components.deploy.component import deploy
from components.evaluate.component import evaluate
from components.generate.component import generate
from components.merge.component import merge
from components.outcome.component import outcome
from components.preflight.component import preflight
from components.train.component import train
from pipelines.compile.placement import add_step
from pipelines.compile.settings import PLAIN, CompileSettings

NAME = "emotion"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3@c170c708c41dac9275d15a8fff4eca08d52bab71"


def _graph(given: Mapping[str, Any], settings: CompileSettings) -> None:
    call = functools.partial(add_step, settings)
    reported = call(outcome, given, pipeline=NAME, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    with dsl.ExitHandler(reported.set_caching_options(False), name="run"):
        _steps(given, settings)


def _steps(given: Mapping[str, Any], settings: CompileSettings) -> None:
    call = functools.partial(add_step, settings)
    checked = call(
        preflight,
        given,
        run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        gpu=settings.gpu_demand,
        serve_image=settings.serve_image,
    ).set_caching_options(False)
    with dsl.ParallelFor(given["models"], name="models") as model:
        # Every other step takes something from generate, and so waits as well.
        generated = call(generate, given, model=model).after(checked)
    synthetic = dsl.Collected(generated.outputs["synthetic"])
    merged = call(merge, given, synthetic=synthetic).outputs["merged"]
    trained = call(train, given, merged=merged).outputs
    models = {"model": trained["model"], "real_only": trained["real_only"]}
    evaluated = call(
        evaluate, given, merged=merged, champion_generation=checked.outputs["Output"], **models
    )
    with dsl.If(evaluated.outputs["Output"] == "pass", name="gate"):
        call(
            deploy,
            given,
            model=trained["model"],
            merged=merged,
            evaluation=evaluated.outputs["evaluation"],
            run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            serve_image=settings.serve_image,
        ).set_caching_options(False)


@dsl.pipeline(name=NAME, description="From a label list and an LLM to a served classifier.")
def emotion(
    task: str = "emotion",
    seed: int = 0,
    models: list[str] = [MISTRAL],
    samples_per_label: int = 100,
    style: str = "attributed",
    generate_options: dict[str, object] = {"few_shot": 3},
    dataset: str = "dair-ai/emotion",
    dataset_revision: str = "cab853a1dbdf4c42c2b3ef2173804746df8825fe",
    test_fraction: float = 0.1,
    merge_options: dict[str, object] = {},
    base_model: str = "distilbert/distilbert-base-uncased",
    base_model_revision: str = "12040accade4e8a0f71eabdb258fecc2e7e948be",
    peft_method: str = "lora",
    learning_rate: float = 0.0,
    epochs: int = 5,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    max_length: int = 128,
    train_options: dict[str, object] = {},
    search_trials: int = 0,
    ablation: bool = False,
    gate: str = "release",
    registry: str = "",
    evaluate_options: dict[str, object] = {},
    deploy_target: str = "render",
    service_name: str = "emotion",
    deploy_options: dict[str, object] = {},
) -> None:
    """From a label list and an LLM to a served classifier.

    Args:
        task: Labels and their meaning: `emotion`, or the path or URI of a task file.
        seed: Seed of prompts, splits and training.
        models: LLMs that write texts: hub id@commit, vllm:folder, GGUF file, or server URL#name.
        samples_per_label: Texts wanted for each label, from all LLMs together.
        style: How texts are asked for: `plain`, `attributed`, `longer`, `complex`, or a file.
        generate_options: Other settings of generate by name: components/generate/settings.py.
        dataset: Real rows: hub id, `sample`, or path or URI of CSV, JSON lines or Parquet.
        dataset_revision: Commit of a hub data set, or sha256: and hash of a file or folder.
        test_fraction: Share of real rows to test on, if the data set has no test split.
        merge_options: Other settings of merge by name: components/merge/settings.py.
        base_model: Encoder to fine-tune: hub id, or path or URI of a folder.
        base_model_revision: Commit of a hub model, or sha256: and hash of a folder's weights.
        peft_method: `lora`, `qlora`, `dora`, `rslora`, `lora+`, `pissa`, `ia3`, `full` or `head`.
        learning_rate: Peak learning rate; 0 takes the method's default.
        epochs: Passes over the train split; the best is kept.
        batch_size: Texts a training step.
        weight_decay: Weight decay of AdamW.
        max_length: Tokens a text is cut to.
        train_options: Other settings of train by name: components/train/settings.py.
        search_trials: Trainings to search settings with: components/train/search/space.yaml.
        ablation: Train on real rows alone as well, to learn what the synthetic ones are worth.
        gate: What a model must reach: `release`, `sample`, `seed`, `smoke`, or a gate file.
        registry: Folder, or gs:// or s3:// URI, that names the model in service; may be empty.
        evaluate_options: Other settings of evaluate by name: components/evaluate/settings.py.
        deploy_target: `local` tries the predictor out in the step, `render` writes the manifest,
            `kserve` puts the model into service.
        service_name: Name of the inference service.
        deploy_options: Other settings of deploy by name: components/deploy/settings.py.
    """
    _graph(locals(), PLAIN)


def emotion_for(settings: CompileSettings) -> Any:
    """The pipeline `emotion` for a cluster.

    Args:
        settings: What the cluster asks for.

    Returns:
        A KFP pipeline with the same parameters.
    """

    @functools.wraps(emotion.pipeline_func)
    def placed(*values: Any) -> None:
        names = inspect.signature(emotion.pipeline_func).parameters
        _graph(dict(zip(names, values, strict=True)), settings)

    return dsl.pipeline(name=emotion.name, description=emotion.description)(placed)
