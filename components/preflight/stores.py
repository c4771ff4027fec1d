"""Checks of the places that a run writes to: folders, and the model registry."""

from contextlib import suppress

from components import storage
from components.artifacts.publishing import CLAIMS
from components.artifacts.registry import read_champion
from components.deploy.model_registry import ModelRegistry
from components.errors import InputError, StepError, WorkError
from components.preflight.checks import NotCheckedError


def require_registry(registry: str, run_id: str) -> None:
    """Refuse a registry that a model could not be published to.

    It is tried in the way a model claims its name: by a guarded write to the folder of claims.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.
        run_id: Keeps the files of this run apart from those of others.

    Raises:
        InputError: If its champion cannot be read, its claims cannot be written, or the service
            does not guard them.
    """
    try:
        read_champion(registry)
    except OSError as error:
        fix = "Check the folder and the rights of the account"
        raise InputError(registry, f"cannot be used: {error}", fix) from error
    claims = f"{registry.rstrip('/')}/{CLAIMS}"
    # A disk always guards, by a lock file that would stay behind.
    if storage.local_path(registry):
        storage.require_writable(claims, _name(run_id))
        return
    store = storage.open_store(claims)
    store.replace(_name(run_id), b"{}\n", 0)
    # An account that publishes needs no right to remove; then the file stays.
    with suppress(StepError):
        store.remove([_name(run_id)])


def require_writable(folder: str, run_id: str) -> None:
    """Refuse a folder in which no file can be written; one is, and is removed again.

    Args:
        folder: Path, or file://, gs:// or s3:// URI.
        run_id: Keeps the files of this run apart from those of others.

    Raises:
        InputError: If it cannot be written.
    """
    storage.require_writable(folder, _name(run_id))


def require_model_registry(url: str, token: str) -> None:
    """Refuse a model registry that refuses this account, or that is none.

    Args:
        url: Its address.
        token: Bearer token; empty for that of this pod's account.

    Raises:
        InputError: If a request of deploy would be refused.
        NotCheckedError: If it does not answer, which the run can do without.
    """
    try:
        ModelRegistry(url, token).require()
    except WorkError as error:
        raise NotCheckedError(str(error)) from error


def _name(run_id: str) -> str:
    return f"preflight-{run_id}.json"
