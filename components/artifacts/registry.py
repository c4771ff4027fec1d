"""The registry: a folder of published models, and which of them is the champion.

It is at a path or a file://, gs:// or s3:// URI:

| object | content |
| --- | --- |
| `<run id>/`, `claims/<run id>.json` | a model (see `artifacts.publishing`) |
| `champion.json` | which of the models is in service |
| `evaluations/<run id>.json` | the evaluation of a model that became the champion |
| `runs/<run id>.json` | how the run ended (see `components.outcome`) |

A run that replaces the champion names the generation of `champion.json` that it relied on.
If another run has replaced it since, nothing is written: a model that was only compared with the
champion's predecessor never gets into service.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from components import storage
from components.artifacts.evaluation import Evaluation
from components.artifacts.model import bundle
from components.artifacts.publishing import CLAIMS, fetch, read_signature
from components.artifacts.signatures import ANYBODY, Trust, unsigned, verify
from components.errors import ChampionMovedError, InputError
from components.options import of_type

POINTER = "champion.json"
RUNS = "runs"
_EVALUATIONS = "evaluations"
_FOLDERS = (CLAIMS, _EVALUATIONS, RUNS)


@dataclass(frozen=True)
class Champion:
    """A model in service.

    Args:
        run_id: The pipeline run that created it.
        model_uri: The folder with what serves of it, or its whole model folder.
        manifest_sha256: Hash of the folder's manifest, which identifies the model.
        metrics: Its scores when it was released.
        signature_sha256: Hash of the folder's signature; empty if it was released without one.
    """

    run_id: str
    model_uri: str
    manifest_sha256: str
    metrics: Mapping[str, Any]
    signature_sha256: str = ""


def require_guarded(registry: str) -> None:
    """Refuse a registry whose champion could be overwritten unnoticed.

    Raises:
        InputError: If it is neither a path nor a file://, gs:// or s3:// URI.
    """
    try:
        storage.require_store(registry)
    except InputError as error:
        raise InputError(f"registry={registry!r}", error.rule, error.fix) from error


def require_run_name(run_id: str) -> None:
    """Refuse a run whose model would not lie in a folder of its own in the registry.

    Raises:
        InputError: If its name is empty, leads elsewhere or is that of a folder of the registry.
    """
    if not run_id or "/" in run_id or run_id.startswith(".") or run_id in _FOLDERS:
        rule = f"must be a name without '/', not begin with '.' and not be {', '.join(_FOLDERS)}"
        fix = "Deploy from a run of the pipeline, name the run, or deploy without a registry"
        raise InputError(f"run_id={run_id!r}", rule, fix)


def read_champion(registry: str) -> tuple[Champion | None, int]:
    """Read the champion of a registry, and the generation of its pointer.

    Returns:
        None and 0 if there is no champion yet.

    Raises:
        StepError: If the registry cannot be read, or its pointer is malformed.
    """
    content, generation = storage.open_store(registry).read(POINTER)
    return (_parsed(content, registry) if generation else None), generation


def require_champion(registry: str) -> Champion:
    """Read the champion of a registry that must have one.

    Raises:
        InputError: If there is none.
        StepError: If the registry cannot be read, or its pointer is malformed.
    """
    champion, _ = read_champion(registry)
    if champion is None:
        fix = "Deploy a model first, or name a model instead of the registry"
        raise InputError(f"registry {registry}", "has no champion", fix)
    return champion


def generation_of(registry: str) -> str:
    """Read the generation of a registry's pointer, as text; `none` without a registry.

    Raises:
        StepError: If the registry cannot be read, or its pointer is malformed.
    """
    return str(read_champion(registry)[1]) if registry else "none"


def require_unmoved(registry: str, expected_generation: int, run_id: str) -> None:
    """Refuse, before any work is spent, a run that could not replace the champion at the end.

    Raises:
        ChampionMovedError: If the champion is at another generation, and not already of this run.
        StepError: If the registry cannot be read.
    """
    champion, generation = read_champion(registry)
    is_own = champion is not None and champion.run_id == run_id
    if generation != expected_generation and not is_own:
        raise _moved(registry, champion, generation, expected_generation)


def replace_champion(registry: str, champion: Champion, expected_generation: int) -> int:
    """Make a model the champion, unless another one has become it in the meantime.

    Repeating the call is harmless: a champion that is already in its place stays there.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.
        champion: The new champion; its model folder is complete.
        expected_generation: As `read_champion` returned it; 0 if there must be no champion yet.

    Returns:
        The new generation.

    Raises:
        ChampionMovedError: If the pointer is at another generation; it stays unchanged.
        StepError: If the registry cannot be written.
    """
    content = (json.dumps(asdict(champion), indent=2) + "\n").encode()
    store = storage.open_store(registry)
    if generation := store.replace(POINTER, content, expected_generation):
        return generation
    winner, generation = read_champion(registry)
    # A request whose answer was lost is repeated, and then meets its own result.
    if winner == champion:
        return generation
    raise _moved(registry, winner, generation, expected_generation)


def keep_evaluation(registry: str, run_id: str, evaluation: Evaluation) -> None:
    """Keep the evaluation of a model that is about to become the champion.

    Raises:
        StepError: If the registry cannot be written.
    """
    content = evaluation.to_json().encode()
    storage.open_store(registry).write(f"{_EVALUATIONS}/{run_id}.json", content)


def evaluation_of_champion(registry: str) -> Evaluation | None:
    """Read how the champion was evaluated; None without a champion, or if that was not kept.

    Raises:
        StepError: If the registry cannot be read, or what it holds is malformed.
    """
    champion, _ = read_champion(registry)
    if champion is None:
        return None
    name = f"{_EVALUATIONS}/{champion.run_id}.json"
    content, generation = storage.open_store(registry).read(name)
    text = content.decode(errors="replace")
    return Evaluation.from_json(text, f"{registry}, {name}") if generation else None


def require_signed(registry: str) -> None:
    """Refuse a champion without a signature; what a signature vouches for is not read.

    Raises:
        StepError: If the champion has none, or the registry cannot be read.
    """
    champion, _ = read_champion(registry)
    if champion and not read_signature(champion.model_uri):
        raise unsigned(f"champion {champion.model_uri}/{bundle.SIGNATURE}")


def fetch_model(champion: Champion, into: Path, trust: Trust = ANYBODY) -> bundle.SealedModel:
    """Fetch the champion's model folder, verified to be the model that was released.

    Args:
        champion: The registry's record of it.
        into: A folder for downloads.
        trust: Who must have signed it.

    Raises:
        InputError: If the folder is missing, does not verify, holds another model, or is not signed
            as it was released and as it must be.
    """
    model = fetch(champion.model_uri, into)
    if model.sha256 != champion.manifest_sha256:
        rule = f"has the manifest {model.sha256}, but {champion.manifest_sha256} was released"
        raise InputError(champion.model_uri, rule, "Restore the released model")
    if signature := champion.signature_sha256:
        _require_same(model.folder / bundle.SIGNATURE, signature, champion.model_uri)
    verify(model.folder, trust)
    return model


def _require_same(signature: Path, sha256: str, uri: str) -> None:
    """Refuse a signature that is missing or another one than that of the release."""
    if not signature.is_file() or storage.sha256(signature) != sha256:
        rule = f"is not the one of the release, {sha256}"
        raise InputError(f"{uri}/{signature.name}", rule, "Restore it")


def _moved(
    registry: str, champion: Champion | None, generation: int, expected: int
) -> ChampionMovedError:
    name = f"run {champion.run_id}" if champion else "nobody"
    rule = f"is {name} at generation {generation}, no longer that of generation {expected}"
    fix = "Evaluate the model again, so that it is compared with the present champion"
    return ChampionMovedError(f"champion of {registry}", rule, fix)


def _parsed(pointer: bytes, registry: str) -> Champion:
    types = {field.name: field.type for field in fields(Champion)}
    try:
        # Those of earlier releases name no signature.
        content = {"signature_sha256": "", **json.loads(pointer)}
        return Champion(**{name: of_type(name, content[name], types[name]) for name in types})
    except (ValueError, KeyError, TypeError) as error:
        rule = f"{POINTER} does not name a model"
        fix = "Restore an earlier version of it, or remove it"
        raise InputError(f"champion of {registry}", rule, fix) from error
