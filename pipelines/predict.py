"""The graph of the third pipeline, which scores many texts with the model in service."""

from typing import Any

from kfp import dsl

from components.predict.component import predict_plan, predict_report, predict_shard
from pipelines.compile.placement import place
from pipelines.compile.settings import PLAIN, CompileSettings

NAME = "predict"
DESCRIPTION = (
    "Labels for many texts by the model in service: the same rows, and what it says of them."
)


def predict_for(settings: CompileSettings) -> Any:
    """The pipeline for a cluster.

    Args:
        settings: Settings of the cluster.

    Returns:
        A KFP pipeline; its parameters are the same for every cluster.
    """

    # What it reads and writes changes, and KFP does not see it.
    def placed(task: dsl.PipelineTask) -> dsl.PipelineTask:
        return place(settings, task).set_caching_options(False)

    @dsl.pipeline(name=NAME, description=DESCRIPTION, pipeline_config=settings.run.config)
    def predict(
        predict_input: str = "",
        predict_output: str = "",
        predict_shards: int = 1,
        deploy_registry: str = "",
        predict_options: dict[str, object] = {},
    ) -> None:
        """Labels for many texts by the model in service.

        Args:
            predict_input: File or folder, at gs:// or s3://, of Parquet, CSV or JSON lines.
            predict_output: New folder, at gs:// or s3://, for the same rows with labels.
            predict_shards: Pods that share the work.
            deploy_registry: Folder, or gs:// or s3:// URI, that names the model in service.
            predict_options: Other settings of predict by name: components/predict/settings.py.
        """
        planned = placed(
            predict_plan(
                run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
                predict_input=predict_input,
                predict_output=predict_output,
                predict_shards=predict_shards,
                deploy_registry=deploy_registry,
                predict_options=predict_options,
            )
        )
        with dsl.ParallelFor(planned.outputs["Output"], name="a pod per shard") as share:
            scored = placed(
                predict_shard(
                    share=share,
                    predict_input=predict_input,
                    predict_output=predict_output,
                    deploy_registry=deploy_registry,
                    predict_options=predict_options,
                )
            )
        placed(
            predict_report(
                shards=dsl.Collected(scored.outputs["counted"]),
                predict_input=predict_input,
                predict_output=predict_output,
                deploy_registry=deploy_registry,
                predict_options=predict_options,
            )
        )

    return predict


predict = predict_for(PLAIN)
"""The pipeline for any cluster, whose parameters have the defaults above."""
