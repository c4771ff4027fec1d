"""A way to a pod through the API server, for machines outside of the cluster's network.

It ends in the pod itself, so that no network policy applies to it, unlike the API server's proxy.

Source: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/
"""

import logging
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_WR
from typing import Any

from components.deploy.cluster.api import Cluster
from components.errors import ClusterError

_CHUNK_BYTES = 65_536
_log = logging.getLogger(__name__)


@contextmanager
def forwarded(cluster: Cluster, pod: str, port: int) -> Iterator[str]:
    """Forward a free loopback port to a pod for the duration of a block; yields the base URL.

    Args:
        cluster: The cluster of the pod.
        pod: Name of the pod.
        port: TCP port in the pod.

    Raises:
        ClusterError: If the API server does not let this account do that.
    """

    def connect() -> Any:
        return _socket(cluster, pod, port)

    connect().close()
    with _Server(connect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    """Connects each of its clients with a socket of its own."""

    daemon_threads = True

    def __init__(self, connect: Callable[[], Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.connect = connect


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            far = self.server.connect()
        except ClusterError as error:
            _log.info("deploy: %s", error)
            return
        back = threading.Thread(target=_pump, args=(far, self.request), daemon=True)
        back.start()
        _pump(self.request, far)
        back.join()
        far.close()


def _socket(cluster: Cluster, pod: str, port: int) -> Any:
    from kubernetes import client
    from kubernetes.stream import portforward

    # A client of its own, since the library replaces the client's way to send requests meanwhile.
    api = client.CoreV1Api(client.ApiClient(cluster.api.configuration))
    try:
        forward = portforward(
            api.connect_get_namespaced_pod_portforward, pod, cluster.namespace, ports=str(port)
        )
    except client.ApiException as error:
        fix = "Use an account that may get and create pods/portforward"
        # The library appends the headers of the answer.
        answer = str(error.reason).partition(" -+-+-")[0]
        rule = f"cannot be reached through the API server: {answer}"
        raise ClusterError(f"pod {pod}", rule, fix) from error
    return forward.socket(port)


def _pump(source: Any, sink: Any) -> None:
    """Copy bytes until either side has closed."""
    with suppress(OSError):
        while data := source.recv(_CHUNK_BYTES):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(SHUT_WR)
