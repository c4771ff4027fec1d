"""Publishing sealed folders, and fetching them.

A published folder never changes, but that a signature may be added to it. A model is published in
two, so that a pod which serves it downloads no more than it reads:

| object | content |
| --- | --- |
| `<name>/serving/` | what serves, with the model's manifest (see `artifacts.model.bundle`) |
| `<name>/serving/model.sig` | the signature of these files, if there is a signer |
| `<name>/rest/` | the other files; put to those of `serving/` they make the model folder whole |
| `claims/<name>.json` | which folder or model may be published under the name |
| `claims/<name>.sig` | the signature that was made first, which counts |
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.model import bundle
from components.artifacts.signatures import verify
from components.artifacts.signer import Signer
from components.errors import InputError

CLAIMS = "claims"
# Neither name begins with the other: KServe takes the URI of a folder as a prefix of names.
_SERVING, _REST = "serving", "rest"


def publish(folder: Path, uri: str) -> None:
    """Copy a sealed folder to where its readers find it, the manifest last.

    A published folder never changes. The first publisher claims the place for its manifest, in a
    small file `claims/<name>.json` next to it, before any other file is written. So of several
    publishers of different models one wins, and the others get an error; a publisher that was
    killed half-way can simply publish again.

    Args:
        folder: The sealed folder.
        uri: A path, or a file://, gs:// or s3:// URI below a folder or bucket.

    Raises:
        InputError: If the folder does not verify, a file is empty, another one is or will be
            there, or the place cannot be written.
    """
    sealed = bundle.verify(folder)
    _publish(sealed, uri, {uri: sealed.files}, manifest_at=uri)


def overwrite(folder: Path, uri: str) -> None:
    """Copy a sealed folder to a place that only its own tries write to, the manifest last.

    What an earlier try has left there, whole or not, is replaced.

    Args:
        folder: The sealed folder.
        uri: As for `publish`.

    Raises:
        InputError: If the folder does not verify, or the place cannot be written.
    """
    sealed, store = bundle.verify(folder), storage.open_store(uri)
    store.remove([bundle.MANIFEST])
    storage.upload(store, folder, [*sealed.files])
    store.put(folder, [bundle.MANIFEST])


def publish_model(model: Path, uri: str, signer: Signer | None = None) -> str:
    """Copy a model to where its readers find it, as `publish` does: what serves, and the rest.

    Args:
        model: The model folder.
        uri: As for `publish`; `serving_uri` says where in it the part that serves is.
        signer: Signs the part that serves; None leaves it as it is.

    Returns:
        The sha256 of the signature; empty without a signer.

    Raises:
        InputError: As for `publish`; also if the signer cannot sign, or somebody else has signed.
        WorkError: If Sigstore does not sign.
    """
    sealed = bundle.verify(model)
    rest = [name for name in sealed.files if name not in bundle.SERVING]
    serving = serving_uri(uri)
    parts = {f"{uri}/{_REST}": rest, serving: bundle.SERVING}
    _publish(sealed, uri, parts, manifest_at=serving)
    return _add_signature(model, uri, signer) if signer else ""


def serving_uri(uri: str) -> str:
    """Tell where the part that serves is in the place of a published model."""
    return f"{uri}/{_SERVING}"


def read_signature(serving: str) -> bytes:
    """Read the signature of the published part that serves; empty if there is none.

    Args:
        serving: Where that part is.

    Raises:
        StepError: If it cannot be read.
    """
    return storage.open_store(serving).read(bundle.SIGNATURE)[0]


def fetch(uri: str, into: Path) -> bundle.SealedModel:
    """Make a published folder readable on this machine, and verify it.

    Args:
        uri: The URI it was published at; a folder on this machine stays where it is.
        into: A folder for downloads.

    Raises:
        InputError: If there is none, it is incomplete, does not verify or cannot be read.
    """
    if storage.local_path(uri):
        return bundle.verify(storage.fetch(uri, into))
    target = into / storage.split(uri)[1]
    with storage.staged(target) as draft:
        sealed = bundle.download(uri, draft)
    return replace(sealed, folder=target)


def _publish(
    sealed: bundle.SealedModel, uri: str, parts: Mapping[str, Sequence[str]], manifest_at: str
) -> None:
    """Copy parts of a folder, names by URI, to a place, and its manifest last."""
    _require_content(sealed)
    folder = sealed.folder
    last = storage.open_store(manifest_at)
    published, _ = last.read(bundle.MANIFEST)
    if published and published != (folder / bundle.MANIFEST).read_bytes():
        raise InputError(uri, "holds another model", "Publish under another name")
    if not published:
        _claim(uri, sealed.sha256)
        for part, names in parts.items():
            storage.upload(storage.open_store(part), folder, names)
        last.put(folder, [bundle.MANIFEST])


def _add_signature(model: Path, uri: str, signer: Signer) -> str:
    """Sign a published part, unless an earlier try has done it; returns the signature's sha256."""
    serving = serving_uri(uri)
    store = storage.open_store(serving)
    with TemporaryDirectory() as folder:
        part = Path(folder) / _SERVING
        for name in (*bundle.SERVING, bundle.MANIFEST):
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model / name, part / name)
        signature = part / bundle.SIGNATURE
        if published := store.read(signature.name)[0]:
            signature.write_bytes(published)
        else:
            signer.sign(part)
            signature.write_bytes(_first_signature(uri, signature.read_bytes()))
            store.put(part, [signature.name])
        try:
            verify(part, signer.trust())
        except InputError as error:
            fix = "Publish under another name"
            raise InputError(f"{serving}/{signature.name}", error.rule, fix) from error
        return storage.sha256(signature)


def _first_signature(uri: str, made: bytes) -> bytes:
    """The signature that counts: no two are alike, and tries of a run may make one at a time."""
    registry, name = storage.split(uri)
    claims, file = storage.open_store(f"{registry}/{CLAIMS}"), f"{name}.sig"
    return made if claims.replace(file, made, 0) else claims.read(file)[0]


def _require_content(sealed: bundle.SealedModel) -> None:
    """Refuse empty files: KServe's storage initializer leaves them out.

    Source: Storage._download_s3 in kserve/kserve, python/storage/kserve_storage
    """
    for name in sealed.files:
        if not (sealed.folder / name).stat().st_size:
            rule = "is empty, and KServe does not download empty files"
            raise InputError(str(sealed.folder / name), rule, "Seal the folder without it")


def _claim(uri: str, manifest_sha256: str) -> None:
    registry, name = storage.split(uri)
    claim = json.dumps({"manifest_sha256": manifest_sha256}).encode()
    claims = storage.open_store(f"{registry}/{CLAIMS}")
    if not claims.replace(f"{name}.json", claim, 0) and claims.read(f"{name}.json")[0] != claim:
        fix = f"Publish under another name, or remove {claims.uri}/{name}.json if no run uses it"
        raise InputError(uri, "is claimed for another model", fix)
