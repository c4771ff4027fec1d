import errno
import hashlib

import pytest

from components import storage
from components.errors import InputError, WorkError


def test_a_plain_path_is_used_where_it_is(tmp_path):
    path = tmp_path / "rows #1.csv"
    path.write_text("hello")

    assert storage.fetch(str(path), tmp_path) == path


def test_a_file_uri_may_be_percent_encoded(tmp_path):
    path = tmp_path / "my rows #1.csv"
    path.write_text("hello")

    assert storage.fetch(path.as_uri(), tmp_path) == path


def test_a_package_uri_names_a_file_or_folder_inside_a_package(tmp_path):
    path = storage.fetch("package:components/artifacts/tasks/emotion.yaml", tmp_path)

    assert path.read_text().startswith("name: emotion")
    assert storage.fetch("package:components.merge/sample", tmp_path).is_dir()


@pytest.mark.parametrize("package", ["no_such_package", "no_such_package.inner"])
def test_a_package_that_is_not_installed_is_refused(package, tmp_path):
    with pytest.raises(InputError, match="is not installed"):
        storage.fetch(f"package:{package}/model", tmp_path)


@pytest.mark.parametrize(
    "uri", ["no/such/file.csv", "file:///no/such/file.csv", "package:components/no/such"]
)
def test_nothing_at_a_uri_is_refused(uri, tmp_path):
    with pytest.raises(InputError, match=f"{uri}: there is no such file or folder"):
        storage.fetch(uri, tmp_path)


@pytest.mark.parametrize("uri", ["https://host/rows.csv", "ftp://host/rows.csv", "s4://bucket/x"])
def test_an_unknown_scheme_is_refused_with_the_known_ones(uri, tmp_path):
    known = "file, package, gs, minio, s3"
    with pytest.raises(InputError, match=rf"is not known\. Use a path or {known}"):
        storage.fetch(uri, tmp_path)


def test_text_is_read_behind_a_path_or_uri(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("caf\u00e9", encoding="utf-8")

    assert storage.read_text(str(path)) == storage.read_text(path.as_uri()) == "caf\u00e9"


def test_what_is_not_utf8_text_is_refused(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_bytes("caf\u00e9".encode("latin-1"))

    for uri in (str(path), str(tmp_path)):
        with pytest.raises(InputError, match=f"{uri}: is not a UTF-8 text file"):
            storage.read_text(uri)
    with pytest.raises(InputError, match="there is no such file"):
        storage.read_text(str(tmp_path / "missing.yaml"))


def test_a_pinned_hash_is_required(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    expected = hashlib.sha256(b"weights").hexdigest()

    assert storage.sha256(path) == expected
    storage.require_content(str(path), path, expected)
    path.write_bytes(b"weightz")
    with pytest.raises(InputError, match=f"weights: has sha256 .* but {expected} is pinned"):
        storage.require_content(str(path), path, expected)


def test_a_staged_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "report.html"
    with storage.staged(target) as draft:
        draft.write_text("whole")
        assert not target.exists()

    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_a_staged_folder_replaces_the_old_one(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with storage.staged(target) as draft:
        draft.mkdir()
        (draft / "new").write_text("new")
        assert (target / "old").exists()

    assert [path.name for path in target.iterdir()] == ["new"]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there_and_no_draft(tmp_path, stop):
    target = tmp_path / "model"
    target.write_text("old")
    with pytest.raises(stop), storage.staged(target) as draft:
        draft.write_text("half")
        raise stop

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_leftover_of_a_killed_run_is_not_mixed_in(tmp_path):
    leftover = tmp_path / "model.partial"
    leftover.mkdir()
    (leftover / "stale").write_text("stale")
    with storage.staged(tmp_path / "model") as draft:
        assert not draft.exists()
        draft.mkdir()

    assert list((tmp_path / "model").iterdir()) == []
    assert not leftover.exists()


def test_only_a_full_disk_is_reported_as_one(tmp_path):
    with pytest.raises(PermissionError), storage.staged(tmp_path / "model"):
        raise PermissionError(errno.EACCES, "denied")
    with pytest.raises(WorkError, match="no space left"), storage.staged(tmp_path / "model"):
        raise OSError(errno.ENOSPC, "full")
