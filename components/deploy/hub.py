"""Publish a model on the Hugging Face Hub: `python -m components.deploy.hub --repo NAME ...`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from components import storage
from components.artifacts.evaluation import Evaluation, read_evaluation
from components.artifacts.model import bundle
from components.command_line import PATH, command, errors_as_exit
from components.errors import InputError, WorkError
from components.hub import HUB_ID

_CARD = "README.md"


def publish_on_hub(
    model: Path, card: str, evaluation: Evaluation, repo: str, hub: Any, *, public: bool = False
) -> str:
    """Put a model into a repository of the hub, in one commit.

    The merged weights stand at its top, so that the repository's name is all that transformers
    needs; the adapter, the exported models and the labels keep their names.

    Args:
        model: The model folder.
        card: The model card that evaluate wrote.
        evaluation: The evaluation of the model.
        repo: owner/name; it is created if it does not exist.
        hub: A `huggingface_hub.HfApi` with a token that may write.
        public: Whether everybody may read a repository that is created now.

    Returns:
        URL of the commit.

    Raises:
        InputError: If the model does not verify or has not passed its gate, the evaluation is that
            of another, or the hub refuses the account.
        WorkError: If the hub does not answer.

    Source: https://huggingface.co/docs/huggingface_hub/guides/upload
    """
    # Its import takes a second.
    from huggingface_hub import CommitOperationAdd

    if not HUB_ID.fullmatch(repo):
        raise InputError(f"repo={repo!r}", "is not owner/name", "Name a repository of the hub")
    version = _require_released(model, evaluation)
    files = [
        CommitOperationAdd(name.removeprefix(f"{bundle.MERGED}/"), model / name)
        for name in bundle.names(model)
        if name not in (_CARD, bundle.MANIFEST)
    ]
    with _explained(repo):
        hub.create_repo(repo, private=not public, exist_ok=True)
        commit = hub.create_commit(
            repo,
            [CommitOperationAdd(_CARD, card.encode()), *files],
            commit_message=f"{evaluation.task} classifier {version[:12]}",
        )
    return str(commit.commit_url)


def _require_released(model: Path, evaluation: Evaluation) -> str:
    """Refuse a model without a good evaluation; gives its version."""
    version = bundle.verify(model).sha256
    if evaluation.model_version != version:
        rule = f"is that of model {evaluation.model_version[:12]}, not of {version[:12]} in {model}"
        raise InputError("evaluation", rule, "Name the evaluation of this model")
    if not evaluation.passed:
        rule = "says that the model has not passed its gate"
        raise InputError("evaluation", rule, "Publish a model that has passed it")
    return version


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """Put the hub's errors into the project's terms."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HfHubHTTPError as error:
        reason = str(error).splitlines()[0][:200]
        if error.response.status_code >= 500:
            raise WorkError(repo, f"cannot be written ({reason})", "Try again later") from error
        fix = "Give HF_TOKEN of an account that may write there"
        raise InputError(repo, f"is refused by the hub ({reason})", fix) from error
    except httpx2.HTTPError as error:
        raise WorkError(repo, f"cannot be reached ({error})", "Check the network") from error


@command()
@click.option("--repo", required=True, metavar="OWNER/NAME", help="Repository of the hub.")
@click.option("--model", type=PATH, required=True, help="Model folder.")
@click.option("--card", required=True, help="Model card of evaluate, path or URI.")
@click.option("--evaluation", required=True, help="File that evaluate wrote.")
@click.option("--public", is_flag=True, help="If the repository is created now.")
def main(repo: str, model: Path, card: str, evaluation: str, *, public: bool) -> None:
    """Publish a model on the Hugging Face Hub.

    HF_TOKEN holds the token of an account that may write there.
    """
    with errors_as_exit("publish-model"):
        from huggingface_hub import HfApi

        text, measured = storage.read_text(card), read_evaluation(evaluation)
        hub = HfApi(token=os.environ.get("HF_TOKEN"))
        url = publish_on_hub(model, text, measured, repo, hub, public=public)
    click.echo(url)


if __name__ == "__main__":
    main()
