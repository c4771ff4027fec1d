"""The smoke test of a model in a cluster, from wherever this process runs."""

import logging
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from components.deploy.cluster.api import Cluster
from components.deploy.cluster.pods import is_ready, name_of
from components.deploy.cluster.port_forward import forwarded
from components.deploy.cluster.service import ServiceAddress
from components.deploy.inference_service import PORT, RELEASE, Manifest, release_of
from components.deploy.smoke_test import SmokeTest, UnreachableError
from components.errors import ClusterError

_log = logging.getLogger(__name__)


class TryOut:
    """A try-out of one model, at any address of its service.

    Outside of the cluster the names of its services do not resolve; then one of the model's own
    pods is asked through the API server, which needs the right to forward ports.

    Args:
        cluster: The cluster of the service.
        manifest: The service of the model.
        test: The smoke test of the model.
        required: False if a model that cannot be reached from here shall count as good.
    """

    def __init__(
        self, cluster: Cluster, manifest: Manifest, test: SmokeTest, *, required: bool = True
    ) -> None:
        self._cluster, self._release = cluster, release_of(manifest)
        self._test, self._required = test, required

    def __call__(self, address: ServiceAddress) -> None:
        """Test the model at an address.

        Raises:
            UnreachableError: If it could not be tried out at all, and has to be.
            ServingError: If it fails.
        """
        try:
            self._run(address)
        except UnreachableError as error:
            if self._required:
                raise
            _log.warning("deploy: not tried out, and in service nevertheless: %s", error)

    def _run(self, address: ServiceAddress) -> None:
        if _resolves(address.url):
            self._test.run(address)
            return
        try:
            with self._forwarded() as url:
                _log.info("deploy: %s does not resolve here: asking a pod of it", address.url)
                # The way there is not the predictor's latency.
                replace(self._test, max_latency_ms=math.inf).run(ServiceAddress(url))
        except ClusterError as error:
            _log.info("deploy: %s", error)
            # In the cluster a new name resolves some time after its Service has been created.
            wait = self._test.wait_seconds if self._required else 0
            replace(self._test, wait_seconds=wait).run(address)

    @contextmanager
    def _forwarded(self) -> Iterator[str]:
        pods = filter(is_ready, self._cluster.pods(f"{RELEASE}={self._release}"))
        pod = next(map(name_of, pods), "")
        if not pod:
            rule, fix = "has no ready pod", "Look at the pods with `kubectl get pods`"
            raise ClusterError(f"release {self._release}", rule, fix)
        with forwarded(self._cluster, pod, PORT) as url:
            yield url


def _resolves(url: str) -> bool:
    try:
        socket.getaddrinfo(httpx.URL(url).host, None)
    except OSError:
        return False
    return True
