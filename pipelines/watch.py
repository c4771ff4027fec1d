"""The graph of the second pipeline, which watches what the first one put into service."""

from typing import Any

from kfp import dsl, kubernetes

from components.watch.component import watch as watch_step
from pipelines.compile.placement import place
from pipelines.compile.settings import PLAIN, CompileSettings

NAME = "watch"
DESCRIPTION = (
    "Traffic of the model in service against its evaluation: what has drifted, and which texts "
    "people should label."
)


def watch_for(settings: CompileSettings) -> Any:
    """The pipeline for a cluster.

    Args:
        settings: Settings of the cluster.

    Returns:
        A KFP pipeline; its parameters are the same for every cluster.
    """

    @dsl.pipeline(name=NAME, description=DESCRIPTION, pipeline_config=settings.run.config)
    def watch(
        watch_payloads: str = "",
        deploy_registry: str = "",
        watch_options: dict[str, object] = {},
        seed: int = 0,
    ) -> None:
        """Traffic of the model in service against its evaluation.

        Args:
            watch_payloads: Folder, or gs:// or s3:// URI, of the payload log.
            deploy_registry: Folder, or gs:// or s3:// URI, that names the model in service.
            watch_options: Other settings of watch by name: components/watch/settings.py.
            seed: Seed of the sample of requests.
        """
        step = watch_step(
            watch_payloads=watch_payloads,
            deploy_registry=deploy_registry,
            watch_options=watch_options,
            seed=seed,
        )
        # The log grows, and KFP does not see it.
        place(settings, step).set_caching_options(False)
        # Kubeflow's PodDefault of this name gives the pod a token for KFP's API, for `trigger`.
        kubernetes.add_pod_label(step, "access-ml-pipeline", "true")

    return watch


watch = watch_for(PLAIN)
"""The pipeline for any cluster, whose parameters have the defaults above."""
