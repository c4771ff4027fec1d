"""The champion: the model in service, named by one small object beside the model folders.

A registry is a folder, on this machine or in object storage:

| object | content |
| --- | --- |
| `<run id>/` | a model folder (see `artifacts.model.bundle`), never changed once it is there |
| `claims/<run id>.json` | which model folder may be published there |
| `champion.json` | which of them is in service |
| `runs/<run id>.json` | how the run ended (see `components.outcome`) |

Whoever replaces the champion names the generation of `champion.json` that the decision rests on.
If another run has replaced it since, nothing is written: no model gets into service that was
only compared with the champion's predecessor.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from components import storage
from components.artifacts.model import bundle
from components.errors import InputError
from components.options import of_type

POINTER = "champion.json"


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
        InputError: If it is neither a path nor a file://, gs:// or s3:// URI.
    """
    try:
        storage.require_store(registry)
    except InputError as error:
        raise InputError(f"registry={registry!r}", error.rule, error.fix) from error


def read_champion(registry: str) -> tuple[Champion | None, int]:
    """The champion of a registry, and the generation of its pointer.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.

    Returns:
        None and 0 if there is no champion yet.

    Raises:
        InputError: If the registry cannot be read or guarded, or its pointer is malformed.
    """
    content, generation = storage.open_store(registry).read(POINTER)
    return (_parsed(content, registry) if generation else None), generation


def generation_of(registry: str) -> str:
    """Generation of a registry's pointer, as text; `none` without a registry.

    Raises:
        InputError: If the registry cannot be read or guarded, or its pointer is malformed.
    """
    return str(read_champion(registry)[1]) if registry else "none"


def replace_champion(registry: str, champion: Champion, expected_generation: int) -> int:
    """Put a model into the champion's place, if nobody has done so meanwhile.

    Doing it again is harmless: a champion that is in its place already stays there.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.
        champion: The new champion; its model folder is complete.
        expected_generation: What `read_champion` gave; 0 if there must be no champion yet.

    Returns:
        The new generation.

    Raises:
        ChampionMoved: If the pointer is at another generation; it stays as it is.
        InputError: If the registry cannot be written or guarded.
    """
    content = (json.dumps(asdict(champion), indent=2) + "\n").encode()
    store = storage.open_store(registry)
    if generation := store.replace(POINTER, content, expected_generation):
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
    folder = bundle.fetch(champion.model_uri, into)
    actual = storage.sha256(folder / bundle.MANIFEST)
    if actual != champion.manifest_sha256:
        rule = f"has the manifest {actual}, but {champion.manifest_sha256} was released"
        raise InputError(champion.model_uri, rule, "Put the released model back")
    return folder


def _parsed(pointer: bytes, registry: str) -> Champion:
    types = {field.name: field.type for field in fields(Champion)}
    try:
        content = json.loads(pointer)
        return Champion(**{name: of_type(name, content[name], types[name]) for name in types})
    except (ValueError, KeyError, TypeError) as error:
        rule = f"{POINTER} does not name a model"
        fix = "Restore an earlier version of it, or remove it"
        raise InputError(f"champion of {registry}", rule, fix) from error
