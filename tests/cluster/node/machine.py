"""Namespaces of Linux in which a cluster runs, and which end with it.

One process holds a network, a mount and a process namespace. When it ends, for it has lost its
parent or is stopped, the kernel kills what runs in them and drops its mounts and interfaces.
Control groups have no such owner: they are removed here.
"""

import ctypes
import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_CLONE_NEWNET = 0x40000000
_END_SECONDS = 20

# /run holds sockets and the state of containers; kubelet and the CNI know these two folders only.
_INIT = """
set -e
mount --make-rshared /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /var/lib/cni /var/lib/kubelet "$0/kubelet"
mount -t tmpfs tmpfs /var/lib/cni
mount --bind "$0/kubelet" /var/lib/kubelet
echo ready
read -r || true
"""


class Machine:
    """Namespaces, a folder, and a control group in every hierarchy.

    Args:
        folder: For data and logs; what a killed session has left there is removed.

    Raises:
        AssertionError: If another machine uses the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.group = f"emotion-pipeline-{folder.name}"
        self._lock = _locked(folder)
        self._clean()
        folder.mkdir()
        namespaces = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
        self._holder = subprocess.Popen(
            ["unshare", *namespaces, "bash", "-c", _INIT, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n", "the namespaces cannot be made"
        for hierarchy in _hierarchies():
            (hierarchy / self.group).mkdir(exist_ok=True)

    @property
    def network(self) -> Path:
        """The file of the network namespace, for `nsenter --net=`."""
        return Path(f"/proc/{self._holder.pid}/ns/net")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Move this thread, and what it starts, into the network namespace for a block."""
        with (
            Path("/proc/thread-self/ns/net").open() as outside,
            self.network.open() as inside,
        ):
            _set_network(inside.fileno())
            try:
                yield
            finally:
                _set_network(outside.fileno())

    def run(self, *command: str | Path) -> str:
        """Run a command in the namespaces to its end; returns what it printed.

        Raises:
            AssertionError: If it fails, with what it said.
        """
        done = subprocess.run(
            [*self._enter(), *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def spawn(self, name: str, command: Sequence[str | Path]) -> "Process":
        """Start a program in the namespaces; its output goes to a log of its name."""
        return Process(self, name, command)

    def stop(self) -> None:
        """End everything and remove it."""
        self._holder.kill()
        self._holder.wait(_END_SECONDS)
        self._clean()
        self._lock.close()

    def _enter(self) -> list[str]:
        spaces = f"/proc/{self._holder.pid}/ns"
        return [
            "nsenter",
            f"--net={spaces}/net",
            f"--mount={spaces}/mnt",
            f"--pid={spaces}/pid_for_children",
        ]

    def _clean(self) -> None:
        for hierarchy in _hierarchies():
            _remove_group(hierarchy / self.group)
        if self.folder.exists():
            shutil.rmtree(self.folder)


class Process:
    """A program in a machine's namespaces.

    Args:
        machine: Where it runs.
        name: Names its log and the file with its id.
        command: Program and arguments.
    """

    def __init__(self, machine: Machine, name: str, command: Sequence[str | Path]) -> None:
        self._machine = machine
        self._file = machine.folder / f"{name}.pid"
        script = 'echo $$ > "$0"; exec "$@"'
        words = [*machine._enter(), "bash", "-c", script, self._file, *command]
        with (machine.folder / f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it at once."""
        self._machine.run("kill", "-KILL", self._file.read_text().strip())

    def terminate(self) -> None:
        """Ask it to end."""
        self._machine.run("kill", "-TERM", self._file.read_text().strip())

    def wait(self, seconds: float) -> int:
        """Wait for its end."""
        return self._process.wait(seconds)


def _locked(folder: Path) -> TextIO:
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AssertionError(f"another cluster runs in {folder}") from error
    return lock


def _set_network(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _hierarchies() -> list[Path]:
    """The hierarchies of control groups: several of version 1, or one of version 2."""
    if (_CONTROL_GROUPS / "cgroup.controllers").exists():
        return [_CONTROL_GROUPS]
    return [each for each in _CONTROL_GROUPS.iterdir() if (each / "cgroup.procs").exists()]


def _remove_group(group: Path) -> None:
    if not group.is_dir():
        return
    for child in group.iterdir():
        if child.is_dir():
            _remove_group(child)
    deadline = time.monotonic() + _END_SECONDS
    while group.is_dir():
        try:
            group.rmdir()
        except OSError:
            # Processes that were killed leave their group a moment later.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
