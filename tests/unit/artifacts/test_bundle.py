import json

import pytest

from components.artifacts.model import bundle
from components.errors import InputError


@pytest.fixture
def sealed(tmp_path):
    folder = tmp_path / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "model.onnx").write_bytes(b"graph")
    bundle.write_labels(folder, bundle.Labels("mood", ("sad", "glad"), 128, 0))
    bundle.write_manifest(folder, {"run": "one"})
    return folder


def list_in_manifest(folder, name, sha256):
    path = folder / bundle.MANIFEST
    content = json.loads(path.read_text())
    content["files"][name] = sha256
    path.write_text(json.dumps(content))


def test_a_sealed_folder_verifies(sealed):
    manifest = bundle.verify(sealed)

    assert manifest.folder == sealed
    assert manifest.facts == {"run": "one"}
    files = json.loads((sealed / bundle.MANIFEST).read_text())["files"]
    assert list(files) == ["labels.json", "onnx/model.onnx"]


def test_the_version_is_that_of_the_content(sealed):
    before = bundle.verify(sealed).sha256
    bundle.write_manifest(sealed, {"run": "one"})
    assert bundle.verify(sealed).sha256 == before

    (sealed / "onnx" / "model.onnx").write_bytes(b"another graph")
    bundle.write_manifest(sealed, {"run": "one"})
    assert bundle.verify(sealed).sha256 != before


def test_labels_survive_the_round_trip(sealed):
    assert bundle.read_labels(sealed) == bundle.Labels("mood", ("sad", "glad"), 128, 0)


def test_a_flipped_bit_is_refused(sealed):
    path = sealed / "onnx" / "model.onnx"
    path.write_bytes(b"graqh")

    with pytest.raises(InputError, match=r"onnx/model\.onnx: differs from its sha256"):
        bundle.verify(sealed)


@pytest.mark.parametrize("name", ["onnx/model.onnx", bundle.MANIFEST])
def test_a_pointer_of_git_lfs_is_named(name, sealed):
    (sealed / name).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n"
    )

    with pytest.raises(InputError, match=rf"{name}: is a pointer of git-lfs.* `git lfs pull`"):
        bundle.verify(sealed)


def test_a_missing_file_is_refused(sealed):
    (sealed / "labels.json").unlink()

    with pytest.raises(InputError, match=r"labels\.json: is in the manifest but missing"):
        bundle.verify(sealed)


def test_an_unlisted_file_is_refused(sealed):
    (sealed / "onnx" / "more.onnx").write_bytes(b"more")

    with pytest.raises(InputError, match=r"onnx/more\.onnx: is not in the manifest"):
        bundle.verify(sealed)


@pytest.mark.parametrize("name", ["../outside", "onnx/../../outside"])
def test_an_entry_above_the_folder_is_refused(sealed, name):
    outside = sealed.parent / "outside"
    outside.write_bytes(b"secret")
    list_in_manifest(sealed, name, bundle.storage.sha256(outside))

    with pytest.raises(InputError, match=r"outside' leads out of the folder"):
        bundle.verify(sealed)


def test_an_absolute_entry_is_refused(sealed):
    outside = sealed.parent / "outside"
    outside.write_bytes(b"secret")
    list_in_manifest(sealed, str(outside), bundle.storage.sha256(outside))

    with pytest.raises(InputError, match=f"{outside}' leads out of the folder"):
        bundle.verify(sealed)


def test_a_symlink_in_place_of_a_file_is_refused(sealed):
    path = sealed / "onnx" / "model.onnx"
    path.rename(sealed.parent / "elsewhere")
    path.symlink_to(sealed.parent / "elsewhere")

    with pytest.raises(InputError, match=r"model\.onnx: is a symbolic link"):
        bundle.verify(sealed)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"files": {}}', b'{"facts": {}, "files": 3}', b"\xff"]
)
def test_a_malformed_manifest_is_refused(sealed, content):
    (sealed / bundle.MANIFEST).write_bytes(content)

    with pytest.raises(InputError, match=r"manifest\.json: is not a manifest"):
        bundle.verify(sealed)


def test_a_folder_without_manifest_is_incomplete(sealed):
    (sealed / bundle.MANIFEST).unlink()

    with pytest.raises(InputError, match=r"model: has no manifest\.json"):
        bundle.verify(sealed)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "optimizer.pt", "state.pkl", "tree.joblib"])
def test_files_that_may_run_code_are_not_sealed(sealed, name):
    (sealed / name).write_bytes(b"code")

    with pytest.raises(InputError, match=f"{name}: may run code when loaded"):
        bundle.write_manifest(sealed, {})
    assert not (sealed / bundle.MANIFEST).exists()
