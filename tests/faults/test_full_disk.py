"""A disk that is really full: the kernel refuses every write beyond a file size."""

import subprocess
import sys

import pytest

LIMIT = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
"""

STAGED = """
from components import storage
with storage.staged(Path(sys.argv[1])) as draft:
    draft.write_bytes(bytes(100_000))
"""

SAFETENSORS = """
import numpy
from components import storage
from safetensors.numpy import save_file
with storage.staged(Path(sys.argv[1])) as draft:
    save_file({"weight": numpy.zeros(100_000)}, draft)
"""

MERGE = """
from components.merge.run import merge
from components.merge.settings import MergeSettings
merge(MergeSettings(), [Path(sys.argv[2]).parent], Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    "write", [STAGED, SAFETENSORS, MERGE], ids=["file", "safetensors", "merge"]
)
def test_a_full_disk_is_named_and_leaves_nothing_half_written(write, synthetic_file, tmp_path):
    target = tmp_path / "target"
    result = subprocess.run(
        [sys.executable, "-c", LIMIT + write, str(target), str(synthetic_file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert f"{target}: no space left to write it. Free some disk space." in result.stderr
    assert list(tmp_path.iterdir()) == []
