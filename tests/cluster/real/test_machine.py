"""What a killed session leaves of a cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.node.machine import Machine
from tests.cluster.real.site import wait_for
from tests.images.make import TOP

pytestmark = pytest.mark.cluster
_HOLD = """
import sys, time
from pathlib import Path
from tests.cluster.node.machine import Machine
print(Machine(Path(sys.argv[1])).network, flush=True)
time.sleep(600)
"""


def test_the_namespaces_end_with_a_killed_session_and_the_next_takes_their_place(tmp_path):
    folder = tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, folder],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout is not None
        network = Path(session.stdout.readline().strip())
        assert network.exists()
        session.kill()
    wait_for(lambda: not network.exists(), seconds=30)
    Machine(folder).stop()
    assert not folder.exists()
