"""Tries a model out where the cluster has put it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from components.artifacts.task import Task
from components.deploy.cluster.status import Endpoint
from components.deploy.settings import DeploySettings
from components.deploy.smoke import NotAnswering, Sentence, SmokeResult, smoke
from components.errors import InputError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TryOut:
    """A smoke test of one model, for any address.

    Args:
        settings: What the user chose.
        task: The model's task.
        sentences: What to send, with the labels they should get.
        version: The sha256 of the model that should answer.
    """

    settings: DeploySettings
    task: Task
    sentences: Sequence[Sentence]
    version: str

    def __call__(self, endpoint: Endpoint) -> None:
        """Send the sentences, once the way to the model is open.

        Raises:
            InputError: If another model answers, or none, or one that gives other labels, is no
                better than chance, or is too slow.
        """
        # A gateway learns of a new revision some time after the cluster has called it ready.
        again = Retrying(
            retry=retry_if_exception_type(NotAnswering),
            stop=stop_after_delay(self.settings.endpoint_seconds),
            wait=wait_exponential(max=5),
            reraise=True,
        )
        result = again(
            smoke,
            endpoint.url,
            self.settings.service_name,
            self.task.names,
            self.sentences,
            host=endpoint.host,
            version=self.version,
        )
        log_result(result)
        if result.mean_latency_ms > (most := self.settings.max_latency_ms):
            rule = f"took {result.mean_latency_ms:.0f} ms for a sentence, and {most:g} are allowed"
            fix = "Give the predictor more CPU, or raise max_latency_ms"
            raise InputError(f"model {self.version:.12}", rule, fix)


def log_result(result: SmokeResult) -> None:
    """Say in the log what a smoke test saw."""
    _log.info(
        "deploy: %d sentences, %.0f%% with the expected label, %.0f ms each",
        result.sentences,
        100 * result.expected_share,
        result.mean_latency_ms,
    )
