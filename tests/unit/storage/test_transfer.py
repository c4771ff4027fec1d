import errno
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_pointer_of_git_lfs_is_refused_before_its_hash(tmp_path):
    path = tmp_path / "small.gguf"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n")

    for uri in (str(path), path.as_uri(), f"{path}@sha256:{'0' * 64}"):
        with pytest.raises(
            InputError, match=r"small\.gguf: is a pointer of git-lfs.* `git lfs pull`"
        ):
            storage.fetch(uri, tmp_path)
    with pytest.raises(InputError, match="is a pointer of git-lfs"):
        storage.read_text(str(path))


WRONG = {
    "gs:/bucket/x": "Write gs://bucket/folder",
    "gs:bucket/x": "Write gs://bucket/folder",
    "s3:/bucket/x": "Write s3://bucket/folder",
    "s3:///x": "does not name a bucket",
    "gs://": "does not name a bucket",
    "gs:": "does not name a bucket",
    "minio:///": "does not name a bucket",
    "gs://-bucket/x": "does not name a bucket",
    "gs://user@bucket/x": "does not name a bucket",
    "gs://bucket//x": "does not name a bucket",
    "gs://[bucket/x": "does not name a bucket",
    "s3://my bucket/x": "does not name a bucket",
    "GS://bucket/x": "Write gs: in lower case",
    "S3://bucket/x": "Write s3: in lower case",
    "File:///x": "Write file: in lower case",
    " gs://bucket/x": "without a space before or after",
    "s3://bucket/x\n": "without a space before or after",
    "file://models/reg": "Write file:///folder from the root on",
    "file:models": "Write file:///folder from the root on",
    "file://": "Write file:///folder from the root on",
    "file:///a%00b": "holds NUL",
    "a\0b": "holds NUL",
}


@pytest.mark.parametrize("uri", WRONG)
@pytest.mark.parametrize(
    "use", [lambda uri: storage.fetch(uri, Path()), storage.open_store, storage.require_there]
)
def test_a_uri_in_no_form_of_its_scheme_is_refused_whatever_it_is_for(use, uri):
    with pytest.raises(InputError, match=WRONG[uri]):
        use(uri)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("models/reg", "models/reg"),
        ("/reg", "/reg"),
        ("file:///reg", "/reg"),
        ("file:/reg", "/reg"),
        ("file://localhost/reg", "/reg"),
        ("file:///a/rows #1?.csv", "/a/rows #1?.csv"),
        ("file:///a/rows%20%231.csv", "/a/rows #1.csv"),
        ("file:///%2Fetc/x", "//etc/x"),
        ("s3://bucket//", None),
        ("~/models", "/home/me/models"),
        ("~models", "~models"),
        ("gs://bucket/x", None),
        ("package:name/x", None),
    ],
)
def test_what_is_on_this_machine_has_a_path(uri, path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert storage.local_path(uri) == (path and Path(path))


@given(st.text(max_size=20) | st.from_regex(r"(gs|s3|file|package|[A-Z]+):.{0,12}", fullmatch=True))
def test_any_text_is_a_place_or_refused(text):
    try:
        is_uri = bool(storage.scheme_of(text))
        assert storage.is_place(text) or not is_uri
    except InputError:
        return


def test_a_name_that_is_too_long_is_no_place_and_cannot_be_read():
    name = "x" * 300
    assert not storage.is_place(name)
    with pytest.raises(InputError, match=r"x: cannot be read \(File name too long\)"):
        storage.read_text(name)


@pytest.mark.parametrize("uri", ["package:", "package:/x", "package:.x/y", "package:a..b"])
def test_a_package_without_a_name_is_refused(uri, tmp_path):
    with pytest.raises(InputError, match="is not installed"):
        storage.fetch(uri, tmp_path)


def test_text_is_read_behind_a_path_or_uri(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("caf\u00e9", encoding="utf-8")

    assert storage.read_text(str(path)) == storage.read_text(path.as_uri()) == "caf\u00e9"


def test_what_is_not_utf8_text_is_refused(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_bytes("caf\u00e9".encode("latin-1"))

    with pytest.raises(InputError, match=f"{path}: is not a UTF-8 text file"):
        storage.read_text(str(path))
    with pytest.raises(InputError, match=f"{tmp_path}: is a folder"):
        storage.read_text(str(tmp_path))
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


def test_a_folder_of_too_many_files_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("components.storage.files.MOST_FILES", 2)
    for name in ("one", "inner/two"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    storage.content_sha256(tmp_path)
    (tmp_path / "inner" / "three").touch()
    with pytest.raises(InputError, match=r"holds more than 2 files\. Name the folder"):
        storage.content_sha256(tmp_path)


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


@pytest.mark.parametrize("inner", ["../../../etc/passwd", "artifacts/../..", "/etc/passwd"])
def test_a_path_in_a_package_does_not_lead_out_of_it(tmp_path, inner):
    with pytest.raises(InputError, match=r"components: its file .* leads out of the folder"):
        storage.fetch(f"package:components/{inner}", tmp_path)
    assert storage.fetch("package:components/artifacts/", tmp_path).is_dir()


@pytest.mark.parametrize("use", ["read", "write", "replace", "remove"])
def test_a_name_that_leads_out_of_a_local_store_is_refused(tmp_path, use):
    store = storage.open_store(str(tmp_path / "runs"))
    given = {"write": (b"",), "replace": (b"", 0)}.get(use, ())
    name = ["../x"] if use == "remove" else "../x"
    with pytest.raises(InputError, match="leads out of the folder"):
        getattr(store, use)(name, *given)


def test_a_text_that_may_have_no_end_is_not_read(tmp_path):
    with pytest.raises(InputError, match="has more than 16 MiB"):
        storage.read_text("/dev/zero")
    path = tmp_path / "text"
    with path.open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    with pytest.raises(InputError, match="has more than 16 MiB, too many for a text file"):
        storage.read_text(str(path))
    with path.open("wb") as file:
        file.truncate(16 * 2**20)
    assert len(storage.read_text(str(path))) == 16 * 2**20
