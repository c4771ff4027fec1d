"""The artifact of manifests: what is in it, what names it, and what is not pushed."""

import io
import json
import os
import shutil
import tarfile

import pytest
from click.testing import CliRunner

from components.errors import InputError
from pipelines import manifests
from pipelines.manifests import push_manifests
from tests.fakes.oci_registry import oci_registry
from tests.manifests.rendering import MANIFESTS
from tests.repositories import commit, git

NOTE = "org.opencontainers.image."


@pytest.fixture
def registry():
    with oci_registry("emotion-pipeline/manifests") as fake:
        yield fake


@pytest.fixture
def folder(tmp_path):
    """The project's manifests in a repository of their own."""
    copied = shutil.copytree(MANIFESTS, tmp_path / "project" / "manifests")
    commit(copied.parent)
    return copied


def pushed(registry, folder, tag="latest"):
    """Push; the manifest of the artifact, and its entries with their contents."""
    uri = push_manifests(folder, registry.host, tag)
    assert uri == f"{registry.repository}@{registry.tags[tag]}"
    manifest = json.loads(registry.manifests[registry.tags[tag]])
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    with tarfile.open(fileobj=io.BytesIO(registry.blobs[layer["digest"]]), mode="r:gz") as tar:
        return manifest, {each: each.isfile() and tar.extractfile(each).read() for each in tar}


def test_it_holds_the_manifests_and_no_script(registry, folder):
    _, entries = pushed(registry, folder)
    files = {each.name: content for each, content in entries.items() if each.isfile()}
    shipped = [each for each in MANIFESTS.rglob("*") if each.is_file() and each.suffix != ".sh"]
    assert files == {str(each.relative_to(MANIFESTS)): each.read_bytes() for each in shipped}


def test_nothing_in_it_depends_on_who_packs_it_and_when(registry, folder):
    _, entries = pushed(registry, folder)
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in entries} == {
        (0, 0, 0, "", "")
    }
    assert {each.mode for each in entries if each.isfile()} == {0o644}
    assert [each.name for each in entries if each.isfile()] == sorted(
        each.name for each in entries if each.isfile()
    )


def test_the_same_commit_is_the_same_artifact(registry, folder):
    first, _ = pushed(registry, folder, "v1")
    for each in folder.rglob("*"):
        os.utime(each, (1, 1))
    clone = folder.parents[1] / "clone"
    git(folder, "clone", "--quiet", "..", str(clone))
    (folder.parent / "README.md").write_text("of no manifest")
    commit(folder.parent)
    git(clone, "remote", "remove", "origin")
    assert pushed(registry, folder, "latest")[0] == first
    assert pushed(registry, clone / "manifests", "v2")[0] == first
    assert len(registry.manifests) == 1


def test_it_names_the_commit_and_the_repository_but_no_password(registry, folder):
    git(folder, "remote", "add", "origin", "https://me:secret@git.example/team/emotion.git")
    notes = pushed(registry, folder)[0]["annotations"]
    assert notes[f"{NOTE}revision"] == f"sha1:{git(folder, 'rev-parse', 'HEAD')}"
    assert notes[f"{NOTE}source"] == "https://git.example/team/emotion.git"
    assert notes[f"{NOTE}created"].endswith("Z")


def test_a_tag_moves_to_the_next_commit(registry, folder):
    pushed(registry, folder)
    before = registry.tags["latest"]
    (folder / "base" / "quotas.yaml").unlink()
    commit(folder.parent)
    _, entries = pushed(registry, folder)
    assert registry.tags["latest"] != before
    assert "base/quotas.yaml" not in {each.name for each in entries}


@pytest.mark.parametrize("name", ["base/quotas.yaml", "overlays/mine.yaml"])
def test_what_is_in_no_commit_is_not_pushed(registry, folder, name):
    (folder / name).write_text("changed")
    with pytest.raises(InputError, match=rf"no commit \(.*{name}\)\. Commit or stash"):
        push_manifests(folder, registry.host, "latest")
    assert registry.asked == []


def test_a_folder_of_no_repository_is_named(registry, tmp_path):
    with pytest.raises(InputError, match="cannot be read by git: fatal: not a git repository"):
        push_manifests(tmp_path, registry.host, "latest")


def test_an_empty_folder_is_named(registry, folder):
    (folder / "mine").mkdir()
    with pytest.raises(InputError, match="has no file in the last commit"):
        push_manifests(folder / "mine", registry.host, "latest")


def test_without_git_it_says_so(registry, folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match=r"git: cannot be run\. Install it"):
        push_manifests(folder, registry.host, "latest")


def test_the_command_prints_what_it_has_pushed(registry, folder, monkeypatch):
    monkeypatch.setattr(manifests, "MANIFESTS", folder)
    done = CliRunner().invoke(manifests.main, ["--registry", registry.host, "--tag", "v1"])
    assert done.output == f"{registry.repository}@{registry.tags['v1']}\n"


@pytest.mark.parametrize(
    "arguments", [["--registry=no host"], ["--registry=localhost:1", "--tag=a b"]]
)
def test_the_command_refuses_what_names_nothing(arguments):
    done = CliRunner().invoke(manifests.main, arguments)
    assert done.exit_code == 1
    assert done.output.startswith("manifests: ")
