"""Checks of what is on the hub."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from components.errors import InputError
from components.preflight.checks import NotCheckedError

_TIMEOUT_SECONDS = 10.0


def require_on_hub(
    kind: Literal["dataset", "model"],
    name: str,
    commit: str,
    endpoint: str | None = None,
    files: Collection[str] = (),
) -> Collection[str]:
    """Refuse a repository that this account cannot read; none of its files is downloaded.

    Args:
        kind: Kind of the repository.
        name: owner/name.
        commit: The commit that will be read.
        endpoint: URL of the hub; None for that of HF_ENDPOINT or the public one.
        files: Files that it must have.

    Returns:
        The names of its files.

    Raises:
        InputError: If repository, commit or a file is missing, or the account (HF_TOKEN) may not
            read it.
        NotCheckedError: If the run has to do without the hub (HF_HUB_OFFLINE).
    """
    import httpx2
    from huggingface_hub import HfApi, errors

    thing = f"{kind} {name} on the hub"
    api = HfApi(endpoint)
    try:
        info = api.repo_info(name, repo_type=kind, revision=commit, timeout=_TIMEOUT_SECONDS)
        # Anybody may see that a gated repository is there.
        api.auth_check(name, repo_type=kind)
    except errors.OfflineModeIsEnabled as error:
        raise NotCheckedError("HF_HUB_OFFLINE is set, so the hub is not asked") from error
    except errors.RevisionNotFoundError as error:
        fix = "Copy a commit from its page, Files and versions"
        raise InputError(thing, f"has no commit {commit}", fix) from error
    except errors.GatedRepoError as error:
        fix = "Accept its terms there, and give the run that account's HF_TOKEN"
        raise InputError(thing, "is open only to those who accepted its terms", fix) from error
    except errors.RepositoryNotFoundError as error:
        fix = "Check the name, or give the run an HF_TOKEN that may read it"
        raise InputError(thing, "does not exist or is private", fix) from error
    except httpx2.HTTPError as error:
        raise _out_of_reach(thing, error) from error
    present = {each.rfilename for each in getattr(info, "siblings", None) or ()}
    if missing := sorted(set(files) - present):
        fix = "Choose another, or export one: emotion-pipeline export-encoder"
        raise InputError(thing, f"has no {', '.join(missing)}", fix)
    return present


def read_on_hub(name: str, commit: str, file: str, present: Collection[str]) -> bytes:
    """Read a small file of a model.

    Args:
        name: owner/name.
        commit: The commit.
        file: Name of the file.
        present: The names of the model's files.

    Returns:
        Its content; b"" if the model has no such file.

    Raises:
        InputError: If it cannot be downloaded.
    """
    import httpx2
    from huggingface_hub import HfApi

    if file not in present:
        return b""
    try:
        path = HfApi().hf_hub_download(name, file, revision=commit, etag_timeout=_TIMEOUT_SECONDS)
    except (httpx2.HTTPError, OSError) as error:
        raise _out_of_reach(f"{file} of model {name} on the hub", error) from error
    return Path(path).read_bytes()


def _out_of_reach(thing: str, error: Exception) -> InputError:
    rule = f"cannot be looked up ({str(error).splitlines()[0]:.200})"
    fix = "Check the network, or set HF_HUB_OFFLINE=1 if everything is in the local cache"
    return InputError(thing, rule, fix)
