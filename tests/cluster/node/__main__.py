"""Runs a cluster until it is told to end: python -m tests.cluster.node [NAME]."""

import signal
import sys
import time

from tests.cluster.node.cluster import running_cluster
from tests.cluster.node.requirements import missing
from tests.cluster.programs.build import build


def main() -> None:
    """Start a cluster, say how to reach it, and wait for a signal."""
    if lacks := missing():
        sys.exit(f"A cluster cannot run here. Missing: {'; '.join(lacks)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    name = sys.argv[1] if sys.argv[1:] else "by-hand"
    started = time.monotonic()
    with running_cluster(build(), name) as cluster:
        sys.stdout.write(
            f"ready in {time.monotonic() - started:.0f} s\n"
            f"enter its network: nsenter --net={cluster.machine.network}\n"
            f"KUBECONFIG={cluster.server.kubeconfig('admin', 'default')}\n"
        )
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit()
