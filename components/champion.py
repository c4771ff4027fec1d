"""The champion: the model in service, named by one small object beside the model folders.

A registry is a folder, on this machine or in Google Cloud Storage:

| object | content |
| --- | --- |
| `<run id>/` | a model folder (see `components.bundle`), never changed once it is there |
| `champion.json` | which of them is in service |

Whoever replaces the champion names the generation of `champion.json` that the decision rests on.
If another run has replaced it since, nothing is written: no model gets into service that was
only compared with the champion's predecessor.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlparse

from components import bundle, storage
from components.checks import InputError
from components.options import of_type

POINTER = "champion.json"

_LOCK_SECONDS = 30


@dataclass(frozen=True)
class Champion:
    """A model in service.

    Args:
        run_id: The pipeline run that made it.
        model_uri: Its model folder.
        manifest_sha256: Hash of the folder's manifest, which identifies the model.
        metrics: What it scored when it was released.
    """

    run_id: str
    model_uri: str
    manifest_sha256: str
    metrics: Mapping[str, Any]


class ChampionMoved(InputError):  # noqa: N818 (it says what happened)
    """Another run has replaced the champion since it was read."""


def require_guarded(registry: str) -> None:
    """Refuse a registry whose champion could be overwritten unseen.

    Raises:
        InputError: If it is neither a path nor a file:// or gs:// URI.
    """
    _pointer(registry)


def read_champion(registry: str) -> tuple[Champion | None, int]:
    """The champion of a registry, and the generation of its pointer.

    Args:
        registry: Path, or file:// or gs:// URI of a folder.

    Returns:
        None and 0 if there is no champion yet.

    Raises:
        InputError: If the registry cannot be read or guarded, or its pointer is malformed.
    """
    text, generation = _pointer(registry).read()
    return (_parsed(text, registry) if generation else None), generation


def replace_champion(registry: str, champion: Champion, expected_generation: int) -> int:
    """Put a model into the champion's place, if nobody has done so meanwhile.

    Doing it again is harmless: a champion that is in its place already stays there.

    Args:
        registry: Path, or file:// or gs:// URI of a folder.
        champion: The new champion; its model folder is complete.
        expected_generation: What `read_champion` gave; 0 if there must be no champion yet.

    Returns:
        The new generation.

    Raises:
        ChampionMoved: If the pointer is at another generation; it stays as it is.
        InputError: If the registry cannot be written or guarded.
    """
    text = json.dumps(asdict(champion), indent=2) + "\n"
    if generation := _pointer(registry).replace(text, expected_generation):
        return generation
    winner, generation = read_champion(registry)
    # A request whose answer was lost is sent again, and then meets what it has written itself.
    if winner == champion:
        return generation
    name = f"run {winner.run_id}" if winner else "nobody"
    rule = f"is {name} at generation {generation}, and no longer that of {expected_generation}"
    fix = "Evaluate the model again, so that it is compared with the champion of today"
    raise ChampionMoved(f"champion of {registry}", rule, fix)


def fetch_model(champion: Champion, into: Path) -> Path:
    """The champion's model folder on this machine, verified to be the model that was released.

    Args:
        champion: The champion.
        into: A folder for downloads.

    Raises:
        InputError: If the folder is missing, does not verify, or holds another model.
    """
    folder = storage.fetch(champion.model_uri, into)
    actual = bundle.verify(folder).sha256
    if actual != champion.manifest_sha256:
        rule = f"has the manifest {actual}, but {champion.manifest_sha256} was released"
        raise InputError(champion.model_uri, rule, "Put the released model back")
    return folder


def _parsed(text: str, registry: str) -> Champion:
    types = {field.name: field.type for field in fields(Champion)}
    try:
        content = json.loads(text)
        return Champion(**{name: of_type(name, content[name], types[name]) for name in types})
    except (ValueError, KeyError, TypeError) as error:
        rule = f"{POINTER} does not name a model"
        fix = "Restore an earlier version of it, or remove it"
        raise InputError(f"champion of {registry}", rule, fix) from error


class _Pointer(Protocol):
    """The pointer of a registry."""

    def read(self) -> tuple[str, int]:
        """Its text and generation; "" and 0 if it does not exist."""

    def replace(self, text: str, expected: int) -> int:
        """Write it if it is at the expected generation; returns the new one, or else 0."""


def _pointer(registry: str) -> _Pointer:
    parts = urlparse(registry)
    if parts.scheme in {"", "file"}:
        return _FilePointer(Path(unquote(parts.path) if parts.scheme else registry))
    if parts.scheme == "gs":
        return _ObjectPointer(parts.netloc, f"{parts.path.strip('/')}/{POINTER}".lstrip("/"))
    rule = "cannot hold a champion: two runs could overwrite each other's"
    raise InputError(f"registry {registry}", rule, "Use a path, or a file:// or gs:// URI")


class _FilePointer:
    """A file whose generation is a hash of its content; writers take turns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / POINTER

    def read(self) -> tuple[str, int]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return "", 0
        # 52 bits, which survive any reader of JSON.
        return text, int(hashlib.sha256(text.encode()).hexdigest()[:13], 16)

    def replace(self, text: str, expected: int) -> int:
        from filelock import FileLock

        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
            if self.read()[1] != expected:
                return 0
            draft = self._path.with_suffix(".partial")
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._path)
            return self.read()[1]


class _ObjectPointer:
    """An object in Google Cloud Storage, which counts generations and guards them itself.

    Source: https://cloud.google.com/storage/docs/request-preconditions
    """

    def __init__(self, bucket: str, name: str) -> None:
        self._bucket, self._name = bucket, name

    def read(self) -> tuple[str, int]:
        with self._opened() as bucket:
            blob = bucket.get_blob(self._name)
            # The text may be newer than the generation; then a replacement fails, as it should.
            return (blob.download_as_text(), int(blob.generation)) if blob else ("", 0)

    def replace(self, text: str, expected: int) -> int:
        from google.api_core.exceptions import PreconditionFailed

        with self._opened() as bucket:
            blob = bucket.blob(self._name)
            try:
                blob.upload_from_string(
                    text, content_type="application/json", if_generation_match=expected
                )
            except PreconditionFailed:
                return 0
            return int(blob.generation)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        from google.api_core.exceptions import ClientError
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.storage import Client

        try:
            yield Client().bucket(self._bucket)
        except (ClientError, DefaultCredentialsError) as error:
            rule = f"cannot be used: {error}"
            fix = "Check the bucket's name and the rights of the account"
            raise InputError(f"gs://{self._bucket}/{self._name}", rule, fix) from error
