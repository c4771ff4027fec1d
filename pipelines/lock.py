"""Digests of pushed images: `python -m pipelines.lock --registry HOST train` writes them."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from components import storage
from components.command_line import PATH, command, errors_as_exit
from components.data_files import read_mapping, to_yaml
from components.errors import InputError

PROJECT = "emotion-pipeline"
"""Repository, below the registry, of all images."""
LOCK = Path("images") / "lock.yaml"
_BY_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def read_lock(path: Path) -> dict[str, str]:
    """Read the image of each step.

    Args:
        path: YAML file of image names without registry (`train`) and full references with digest.

    Raises:
        InputError: If it cannot be read, or an entry has no digest.
    """
    content = read_mapping(path, "image lock")
    if not content:
        raise InputError(f"image lock {path}", "names no image", "Write it with `make lock`")
    for name, reference in content.items():
        if not isinstance(reference, str) or not _BY_DIGEST.fullmatch(reference):
            rule = "has no digest, so its content may change"
            raise InputError(f"{path}, {name}: {reference!r}", rule, "Write it with `make lock`")
    return content


def locked(images: Mapping[str, str], name: str) -> str:
    """An image by digest.

    Args:
        images: Result of `read_lock`.
        name: Name without registry: `train`.

    Raises:
        InputError: If it is not in the lock.
    """
    if name not in images:
        rule = "is not in the image lock, so its tag could move"
        raise InputError(f"image {name}", rule, "Push it and write it there with `make lock`")
    return images[name]


def pushed_reference(repository: str, digests: Sequence[str]) -> str:
    """The reference to pull, by the digest that the registry gave when the image was pushed.

    Args:
        repository: Registry and path, without tag: `example.com/me/emotion-pipeline/train`.
        digests: References of an image, of any repository, as the Docker engine lists them.

    Returns:
        `repository@sha256:...`

    Raises:
        InputError: If the image has not been pushed to the repository.

    Source: RepoDigests of https://docs.docker.com/reference/api/engine/ (image inspect)
    """
    # The engine leaves out the name of its default registry.
    start = f"{repository.removeprefix('docker.io/')}@"
    for each in digests:
        if each.startswith(start):
            return f"{repository}@{each.removeprefix(start)}"
    raise InputError(f"image {repository}", "has not been pushed", "Run: make push REGISTRY=...")


def write_lock(lock: Path, registry: str, tag: str, steps: Sequence[str], docker: str) -> None:
    """Write the digests of images that are here and in a registry.

    Args:
        lock: YAML file to write, a flat mapping of step to reference.
        registry: Registry, and path if it has one, that the images were pushed to.
        tag: Tag that they were pushed with.
        steps: Names of the steps.
        docker: The Docker client.

    Raises:
        InputError: If an image is not here or has not been pushed; then nothing is written.
    """
    pushed = {}
    for step in steps:
        repository = f"{registry}/{PROJECT}/{step}"
        pushed[step] = pushed_reference(repository, _digests(docker, f"{repository}:{tag}"))
    with storage.staged(lock) as draft:
        draft.write_text(to_yaml(pushed), encoding="utf-8")


def _digests(docker: str, image: str) -> list[str]:
    command = [docker, "image", "inspect", "--format", "{{json .RepoDigests}}", image]
    try:
        ended = subprocess.run(  # noqa: S603
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except (OSError, ValueError) as error:
        fix = "Install it, or name another with --docker"
        raise InputError(f"container engine {docker!r}", "cannot be run", fix) from error
    if ended.returncode:
        fix = "Run: make push REGISTRY=..., with the same TAG"
        raise InputError(f"image {image}", ended.stderr.strip() or "cannot be inspected", fix)
    return _listed(ended.stdout, docker)


def _listed(said: str, docker: str) -> list[str]:
    """The digests in what a Docker client says of an image; null stands for none."""
    try:
        digests = json.loads(said) or []
    except (RecursionError, ValueError):
        digests = None
    if not isinstance(digests, list) or not all(isinstance(each, str) for each in digests):
        rule = f"lists no digests: it answers {' '.join(said.split())[:100]!r}"
        raise InputError(f"container engine {docker!r}", rule, "Name Docker's with --docker")
    return digests


@command()
@click.argument("steps", nargs=-1, required=True)
@click.option("--registry", required=True, help="Registry that the images are in.")
@click.option("--tag", default="latest", show_default=True, help="Tag that they were pushed with.")
@click.option("--docker", default="docker", show_default=True, help="The Docker client.")
@click.option("--output", type=PATH, default=LOCK, show_default=True, help="File to write.")
def main(steps: Sequence[str], registry: str, tag: str, docker: str, output: Path) -> None:
    """Write the digests of the steps' pushed images.

    STEPS are the names of the steps; if an image has not been pushed, nothing is written.
    """
    with errors_as_exit("lock"):
        write_lock(output, registry, tag, steps, docker)


if __name__ == "__main__":
    main()
