"""An OCI image of one layer of files: the same files are the same image, bit by bit.

Sources: layer.md, config.md and manifest.md of
https://github.com/opencontainers/image-spec/blob/main/
"""

import gzip
import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from components import storage
from components.artifacts.image_repository import ImageRepository

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class _Blob:
    """A file as a registry keeps it."""

    path: Path
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{storage.sha256(self.path)}"

    def descriptor(self) -> dict[str, Any]:
        size = self.path.stat().st_size
        return {"mediaType": self.media_type, "digest": self.digest, "size": size}


@dataclass(frozen=True)
class Image:
    """An image that is on this machine.

    Args:
        blobs: Its layer and its config.
        manifest: Its manifest, which names them.
    """

    blobs: tuple[_Blob, _Blob]
    manifest: str

    @property
    def digest(self) -> str:
        """What names it, whatever its tags."""
        return f"sha256:{hashlib.sha256(self.manifest.encode()).hexdigest()}"

    def push(self, repository: ImageRepository, tag: str) -> None:
        """Push what a repository lacks of it, and let a tag name it.

        Raises:
            InputError: If the registry refuses it.
            WorkError: If the registry does not answer.
        """
        for blob in self.blobs:
            repository.push_blob(blob.path)
        repository.push_manifest(tag, self.manifest)


def build_image(
    files: Mapping[str, Path], annotations: Mapping[str, str], scratch: Path, *, packed: bool
) -> Image:
    """Build an image; whoever reads it may read its files, and nobody may change or run them.

    Args:
        files: Where each file is, by its path in the image.
        annotations: Those of the manifest.
        scratch: An empty folder, which holds the image's parts.
        packed: Whether its layer is compressed by gzip.
    """
    layer = difference = _Blob(_archive(files, scratch / "layer.tar"), _LAYER)
    if packed:
        layer = _Blob(_compressed(difference.path), f"{_LAYER}+gzip")
    config = scratch / "config.json"
    content = {
        # The specification demands one, though files run nowhere.
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [difference.digest]},
    }
    config.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
    blobs = (layer, _Blob(config, _CONFIG))
    return Image(blobs, _manifest(*blobs, annotations))


def _archive(files: Mapping[str, Path], path: Path) -> Path:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in sorted({parent for name in files for parent in _parents(name)}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = file.stat().st_size, 0o644
            with file.open("rb") as content:
                tar.addfile(entry, content)
    return path


def _parents(name: str) -> list[str]:
    return [str(each) for each in PurePosixPath(name).parents if each.name]


def _compressed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    with (
        path.open("rb") as content,
        packed.open("wb") as file,
        # Without the file's name and time, on which its digest must not depend.
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as archive,
    ):
        shutil.copyfileobj(content, archive)
    return packed


def _manifest(layer: _Blob, config: _Blob, annotations: Mapping[str, str]) -> str:
    content = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
        "annotations": dict(annotations),
    }
    return json.dumps(content, sort_keys=True)
