"""The overlays as an OCI artifact that Flux and Argo CD follow: `python -m pipelines.manifests`.

Its one layer holds what a commit has in manifests/, but for the scripts, which need the rest of the
repository. Of all layers Flux takes the first, and Argo CD the only one of a type that it allows:
`application/vnd.oci.image.layer.v1.tar+gzip` suits both. The same commit is the same artifact, bit
by bit, whatever its tag.

Sources: selectLayer in fluxcd/source-controller and extract in argoproj/argo-cd, util/oci;
https://fluxcd.io/flux/cheatsheets/oci-artifacts/; https://argo-cd.readthedocs.io/en/stable/user-guide/oci/
"""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import click

from components.artifacts.image import build_image
from components.artifacts.image_repository import SCHEME, ImageRepository, require_tag
from components.command_line import command, errors_as_exit
from components.errors import InputError
from pipelines.lock import PROJECT

MANIFESTS = Path(__file__).parents[1] / "manifests"
_ANNOTATION = "org.opencontainers.image."


def push_manifests(folder: Path, registry: str, tag: str) -> str:
    """Push what the last commit has in a folder of manifests.

    Args:
        folder: In a Git repository.
        registry: Registry, and path if it has one, below which the project's images are.
        tag: Name of the artifact there; it may name another one so far.

    Returns:
        The artifact by its digest, as a URI.

    Raises:
        InputError: If the folder is in no repository, differs from its last commit or is empty
            there, the tag is none, or the registry refuses the artifact.
        WorkError: If the registry does not answer.
    """
    require_tag("tag", tag)
    repository = ImageRepository(f"{SCHEME}{registry.removeprefix(SCHEME)}/{PROJECT}/manifests")
    files = _committed(folder)
    with TemporaryDirectory() as scratch:
        image = build_image(files, _origin(folder), Path(scratch), packed=True)
        image.push(repository, tag)
    return f"{repository.uri}@{image.digest}"


def _committed(folder: Path) -> dict[str, Path]:
    """Find the files of a folder that are as in the last commit."""
    if changed := _git(folder, "status", "--porcelain", "--", "."):
        rule = f"has changes that are in no commit ({changed.splitlines()[0].strip()})"
        raise InputError(f"folder {folder}", rule, "Commit or stash them")
    listed = _git(folder, "ls-files", "-z", "--", ".", ":(exclude)*.sh").split("\0")
    files = {name: folder / name for name in listed if name}
    if not files:
        raise InputError(f"folder {folder}", "has no file in the last commit", "Name another")
    return files


def _origin(folder: Path) -> dict[str, str]:
    """Say which commit has last changed a folder, when, and where its repository comes from."""
    commit, _, seconds = _git(folder, "log", "-1", "--format=%H %ct", "--", ".").partition(" ")
    created = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    origin = {"created": created, "revision": f"sha1:{commit}"}
    if remote := _git(folder, "config", "--default", "", "--get", "remote.origin.url"):
        origin["source"] = _without_user(remote)
    return {f"{_ANNOTATION}{name}": value for name, value in origin.items()}


def _without_user(remote: str) -> str:
    """The address of a remote, without the name and password that it may hold."""
    address = urlsplit(remote)
    return address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()


def _git(folder: Path, *words: str) -> str:
    call = ["git", "-C", str(folder), *words]
    try:
        ended = subprocess.run(  # noqa: S603
            call, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError as error:
        raise InputError("git", "cannot be run", "Install it") from error
    if ended.returncode:
        said = " ".join(ended.stderr.split())[:200]
        raise InputError(f"folder {folder}", f"cannot be read by git: {said}", "Clone the project")
    return ended.stdout.strip()


@command()
@click.option("--registry", required=True, help="Registry to push to, with a path if it has one.")
@click.option("--tag", default="latest", show_default=True, help="Tag of the artifact there.")
def main(registry: str, tag: str) -> None:
    """Push the overlays as an artifact that Flux and Argo CD follow."""
    with errors_as_exit("manifests"):
        click.echo(push_manifests(MANIFESTS, registry, tag))


if __name__ == "__main__":
    main()
