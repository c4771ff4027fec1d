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

from pathlib import Path
from tempfile import TemporaryDirectory

from components.artifacts.image import build_image
from components.artifacts.image_repository import SCHEME, ImageRepository, require_tag
from components.artifacts.model import bundle
from components.errors import InputError

NATIVE = "oci+native://"
"""Scheme by which KServe mounts an image as it is, whatever it would do by default."""

_FOLDER = "models"
_VERSION = "org.opencontainers.image.version"


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
    require_tag("run", tag)
    sealed = bundle.verify(model)
    with TemporaryDirectory() as scratch:
        files = _files(sealed, signature, Path(scratch))
        image = build_image(files, {_VERSION: tag}, Path(scratch), packed=False)
        present = repository.digest_of(tag)
        if present and present != image.digest:
            fix = "Publish under the name of another run, or remove this tag"
            rule = "names another image: of another model, or with another signature or none"
            raise InputError(f"{repository.uri}:{tag}", rule, fix)
        if not present:
            image.push(repository, tag)
    return f"{NATIVE}{repository.uri.removeprefix(SCHEME)}@{image.digest}"


def _files(sealed: bundle.SealedModel, signature: bytes, scratch: Path) -> dict[str, Path]:
    """Find the files that serve, the manifest that seals them and their signature."""
    files = {name: sealed.folder / name for name in (*bundle.SERVING, bundle.MANIFEST)}
    if signature:
        files[bundle.SIGNATURE] = scratch / bundle.SIGNATURE
        files[bundle.SIGNATURE].write_bytes(signature)
    return {f"{_FOLDER}/{name}": file for name, file in files.items()}
