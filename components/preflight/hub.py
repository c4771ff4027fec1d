"""Check of a repository on the Hugging Face hub: it can be read at a commit."""

from typing import Literal

from components.errors import InputError
from components.preflight.checks import NotCheckedError

_TIMEOUT_SECONDS = 10.0


def require_on_hub(
    kind: Literal["dataset", "model"], name: str, commit: str, endpoint: str | None = None
) -> None:
    """Refuse a repository that this account cannot read; none of its files is downloaded.

    Args:
        kind: Kind of the repository.
        name: owner/name.
        commit: The commit that will be read.
        endpoint: URL of the hub; None for that of HF_ENDPOINT or the public one.

    Raises:
        InputError: If repository or commit is missing, or the account (HF_TOKEN) may not read it.
        NotCheckedError: If the run has to do without the hub (HF_HUB_OFFLINE).
    """
    import httpx2
    from huggingface_hub import HfApi, errors

    thing = f"{kind} {name} on the hub"
    api = HfApi(endpoint)
    try:
        api.repo_info(name, repo_type=kind, revision=commit, timeout=_TIMEOUT_SECONDS)
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
        rule = f"cannot be looked up ({str(error).splitlines()[0]:.200})"
        fix = "Check the network, or set HF_HUB_OFFLINE=1 if everything is in the local cache"
        raise InputError(thing, rule, fix) from error
