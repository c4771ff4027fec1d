"""An image with nothing but a program, as `docker save` writes it."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

_USER = "65532:65532"


def write_image(archive: Path, name: str, program: Path) -> None:
    """Write an image whose entry point is a program.

    Args:
        archive: The file to write.
        name: With its tag.
        program: Linked statically; it becomes `/<its name>`.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        files.add(program, f"/{program.name}")
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        files.addfile(folder)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": _USER},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as image:
        _add(image, "layer.tar", layer.getvalue())
        _add(image, "config.json", json.dumps(settings).encode())
        _add(image, "manifest.json", json.dumps(manifest).encode())


def _add(image: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    image.addfile(entry, io.BytesIO(content))
