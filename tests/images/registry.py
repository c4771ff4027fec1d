"""An image registry without encryption or passwords: Debian's docker-registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.processes import running_server


@contextmanager
def running_registry(address: str, storage: Path, folder: Path) -> Iterator[None]:
    """Run a registry for the length of a block.

    Args:
        address: Host and port.
        storage: Its images.
        folder: For its settings and log.
    """
    command = registry_command(address, storage, folder)
    with running_server(command, f"http://{address}/v2/", folder / "registry.log", 30):
        yield


def registry_command(address: str, storage: Path, folder: Path, **more: Any) -> list[str]:
    """Write the settings of a registry; returns the command that runs it.

    Args:
        address: As for `running_registry`.
        storage: As for `running_registry`.
        folder: As for `running_registry`.
        more: Sections of its settings that replace these or are added.
    """
    path = folder / "registry.yaml"
    content = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": {"addr": address},
        **more,
    }
    path.write_text(yaml.safe_dump(content))
    return ["docker-registry", "serve", str(path)]
