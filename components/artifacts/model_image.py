"""A model as an OCI image, which the pods of a cluster mount instead of downloading files.

The image has one layer: what serves of the model (see `artifacts.model.bundle`), in `/models`. That
is where KServe looks in the image of an `oci+native://` URI, which it has the kubelet mount as an
image volume, and in that of an `oci+fetch://` URI, which it downloads. It holds no program, so it
cannot be the sidecar that KServe makes of a plain `oci://` URI: that needs a shell, and does not
meet restricted Pod Security. The same model of the same run is the same image, bit by bit.

Sources: ConfigureOciNativeToContainer and ConfigureOciFetchToContainer in kserve/kserve;
https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/;
https://github.com/opencontainers/image-spec/blob/main/manifest.md
"""

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from components import storage
from components.artifacts.image_repository import SCHEME, ImageRepository, require_tag
from components.artifacts.model import bundle
from components.errors import InputError

NATIVE = "oci+native://"
"""Scheme by which KServe mounts an image as it is, whatever it would do by default."""

_FOLDER = "models"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_VERSION = "org.opencontainers.image.version"


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


def publish_image(
    model: Path, repository: ImageRepository, tag: str, signature: bytes = b""
) -> str:
    """Push what serves of a model as an image, unless it is there already.

    Args:
        model: The model folder.
        repository: Where to.
        tag: Name of the model there.
        signature: Content of the signature of these files; empty for none.

    Returns:
        The image by its digest, as a URI for KServe.

    Raises:
        InputError: If the folder does not verify, the tag is none or names another image, or the
            registry refuses the image.
        WorkError: If the registry does not answer.
    """
    require_tag(tag)
    sealed = bundle.verify(model)
    with TemporaryDirectory() as scratch:
        layer = _layer(sealed, signature, Path(scratch))
        config = _config(layer, Path(scratch))
        manifest = _manifest(config, layer, tag)
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        present = repository.digest_of(tag)
        if present and present != digest:
            fix = "Publish under the name of another run, or remove that tag"
            raise InputError(f"{repository.uri}:{tag}", "holds another model", fix)
        if not present:
            repository.push_blob(layer.path)
            repository.push_blob(config.path)
            repository.push_manifest(tag, manifest)
    return f"{NATIVE}{repository.uri.removeprefix(SCHEME)}@{digest}"


def _layer(sealed: bundle.SealedModel, signature: bytes, scratch: Path) -> _Blob:
    """Pack the files that serve, the manifest that seals them and their signature."""
    files = {name: sealed.folder / name for name in (*bundle.SERVING, bundle.MANIFEST)}
    if signature:
        files[bundle.SIGNATURE] = scratch / bundle.SIGNATURE
        files[bundle.SIGNATURE].write_bytes(signature)
    path = scratch / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in sorted({parent for name in files for parent in _parents(name)}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(f"{_FOLDER}/{name}")
            entry.size, entry.mode = file.stat().st_size, 0o644
            with file.open("rb") as content:
                tar.addfile(entry, content)
    return _Blob(path, _LAYER)


def _parents(name: str) -> list[str]:
    return [str(PurePosixPath(_FOLDER, each)) for each in PurePosixPath(name).parents]


def _config(layer: _Blob, scratch: Path) -> _Blob:
    content = {
        # The specification demands one, though files run nowhere.
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
    }
    path = scratch / "config.json"
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
    return _Blob(path, _CONFIG)


def _manifest(config: _Blob, layer: _Blob, tag: str) -> str:
    content = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
        "annotations": {_VERSION: tag},
    }
    return json.dumps(content, sort_keys=True)
