"""The behaviour of every store, on a disk and in object storage."""

import os
from pathlib import PurePosixPath

import boto3
import pytest
import s3fs
from hypothesis import given
from hypothesis import strategies as st

from components import storage
from components.errors import InputError
from components.storage.transfer import batches
from tests.fakes.object_storage import BUCKET

FILES = {
    "labels.json": b"{}",
    "onnx/model.onnx": b"graph" * 1000,
    "merged/deep/er/caf\u00e9 #1?.txt": b"text",
    "empty.bin": b"",
}


@pytest.fixture
def store(folder_uri):
    return storage.open_store(folder_uri)


def tree(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def content_of(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_tree_survives_the_round_trip(store, tmp_path, caplog):
    caplog.set_level("INFO")
    source = tree(tmp_path / "source", FILES)
    (source / "folder without files").mkdir()

    storage.upload(store, source, FILES)
    assert store.sizes() == {name: len(content) for name, content in FILES.items()}
    storage.download(store, store.sizes(), tmp_path / "target")

    assert content_of(tmp_path / "target") == FILES
    assert not (tmp_path / "target" / "folder without files").exists()
    assert f"storage: 0.0 of 0.0 MB from {store.uri}" in caplog.text


def test_a_file_of_50_mb_survives_the_round_trip(store, tmp_path):
    content = os.urandom(50_000_000)
    source = tree(tmp_path / "source", {"weights": content, "small": b"s"})

    storage.upload(store, source, ["weights", "small"])
    storage.download(store, store.sizes(), tmp_path / "target")

    assert content_of(tmp_path / "target") == {"weights": content, "small": b"s"}


def test_nothing_is_stored_of_a_tree_without_files(store, tmp_path):
    storage.upload(store, tmp_path, [])

    assert store.sizes() == {}
    storage.download(store, {}, tmp_path / "target")
    assert content_of(tmp_path / "target") == {}


def test_a_neighbour_with_a_longer_name_is_another_folder(store, tmp_path):
    source = tree(tmp_path / "source", {"a": b"mine", "b": b"theirs"})
    storage.upload(storage.open_store(f"{store.uri}-2"), source, ["b"])
    storage.upload(store, source, ["a"])

    assert store.sizes() == {"a": 4}


def test_what_a_uri_names_is_fetched(store, tmp_path):
    storage.upload(store, tree(tmp_path / "source", FILES), FILES)

    file = storage.fetch(f"{store.uri}/labels.json", tmp_path / "downloads")
    folder = storage.fetch(f"{store.uri}/", tmp_path / "downloads")

    assert (file.name, file.read_bytes()) == ("labels.json", b"{}")
    assert content_of(folder) == FILES
    assert storage.read_text(f"{store.uri}/labels.json") == "{}"
    with pytest.raises(InputError, match="there is no such file or folder"):
        storage.fetch(f"{store.uri}/label", tmp_path / "downloads")


def test_what_a_uri_names_is_held_against_the_hash_at_its_end(store, tmp_path):
    storage.upload(store, tree(tmp_path / "source", FILES), FILES)
    downloads = tmp_path / "downloads"
    for place in (store.uri, f"{store.uri}/labels.json"):
        path = storage.fetch(place, downloads)
        pin = storage.PIN + storage.content_sha256(path)
        assert storage.fetch(place + pin, downloads) == path

    storage.upload(store, tree(tmp_path / "source", {"labels.json": b"[]"}), ["labels.json"])
    with pytest.raises(InputError, match="is pinned"):
        storage.fetch(place + pin, downloads)


def test_a_file_is_replaced_and_removed(store, tmp_path):
    for content in (b"old", b"newer"):
        storage.upload(store, tree(tmp_path / "source", {"in/file": content}), ["in/file"])
    assert store.sizes() == {"in/file": 5}

    store.remove(["in/file", "never there"])
    assert store.sizes() == {}


def test_a_small_file_is_written_and_read(store):
    assert store.read("marker.json") == (b"", 0)
    store.write("marker.json", b"one")
    content, generation = store.read("marker.json")
    assert content == b"one"
    assert generation > 0


def test_a_small_file_is_replaced_only_at_the_expected_generation(store):
    first = store.replace("marker.json", b"one", 0)
    assert store.read("marker.json") == (b"one", first)
    assert store.replace("marker.json", b"two", 0) == 0

    second = store.replace("marker.json", b"two", first)
    assert second not in {0, first}
    assert store.replace("marker.json", b"three", first) == 0
    assert store.read("marker.json") == (b"two", second)

    store.remove(["marker.json"])
    assert store.replace("marker.json", b"three", second) == 0
    assert store.read("marker.json") == (b"", 0)


ESCAPES = ["../outside", "a/../../outside", "/outside", "a//b", "a\\..\\outside", "a\0b", ".", ""]


@pytest.mark.parametrize("name", ESCAPES)
def test_names_that_lead_out_of_the_folder_are_refused_either_way(store, tmp_path, name):
    with pytest.raises(InputError, match="leads out of the folder"):
        storage.upload(store, tmp_path, [name])
    with pytest.raises(InputError, match="leads out of the folder"):
        storage.download(store, {"good": 1, name: 1}, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_an_object_with_such_a_name_is_never_written_here(s3_bucket, tmp_path):
    client = boto3.client("s3")
    client.put_object(Bucket=BUCKET, Key="evil/a/../../outside", Body=b"x")
    store = storage.open_store(f"{s3_bucket}/evil")
    assert list(store.sizes()) == ["a/../../outside"]

    with pytest.raises(InputError, match="leads out of the folder"):
        storage.fetch(store.uri, tmp_path / "in" / "ner")
    assert not list(tmp_path.rglob("outside"))


@given(st.text(alphabet="a./\\\0", max_size=8) | st.text(max_size=8))
def test_a_name_that_is_accepted_stays_inside(name):
    folder = PurePosixPath("/models/run-1")
    try:
        storage.require_inside(name, str(folder))
    except InputError:
        return
    inner = os.path.normpath(folder / name)
    assert inner == f"{folder}/{name}"
    assert "\0" not in inner


def test_symbolic_links_are_not_followed(store, tmp_path):
    tree(tmp_path / "elsewhere", {"secret": b"secret"})
    source = tree(tmp_path / "source", {"a": b"a"})
    (source / "secret").symlink_to(tmp_path / "elsewhere" / "secret")
    (source / "folder").symlink_to(tmp_path / "elsewhere")

    for name in ("secret", "folder/secret"):
        with pytest.raises(InputError, match="is a symbolic link"):
            storage.upload(store, source, ["a", name])
    assert store.sizes() == {}


def test_symbolic_links_in_a_shared_folder_are_not_followed(tmp_path):
    shared = tree(tmp_path / "shared", {"a": b"a"})
    outside = tree(tmp_path / "elsewhere", {"secret": b"secret"})
    (shared / "folder").symlink_to(outside)
    store = storage.open_store(str(shared))

    with pytest.raises(InputError, match="folder: is a symbolic link"):
        storage.download(store, {"folder/secret": 6}, tmp_path / "target")
    with pytest.raises(InputError, match="folder: is a symbolic link"):
        storage.upload(store, tree(tmp_path / "new", {"folder/secret": b"new"}), ["folder/secret"])
    assert content_of(outside) == {"secret": b"secret"}


def test_a_missing_file_is_refused_before_anything_is_stored(store, tmp_path):
    with pytest.raises(InputError, match="missing: there is no such file"):
        storage.upload(store, tree(tmp_path / "source", {"a": b"a"}), ["a", "missing"])
    assert store.sizes() == {}


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_bucket_that_is_missing_is_named(scheme, request, tmp_path):
    uri = request.getfixturevalue(f"{scheme}_bucket").replace("models", "no-such-bucket")
    with pytest.raises(InputError, match=f"{uri}: cannot be used"):
        storage.upload(storage.open_store(uri), tree(tmp_path / "source", {"a": b"a"}), ["a"])
    with pytest.raises(InputError, match=f"{uri}/x: cannot be used"):
        storage.fetch(f"{uri}/x", tmp_path)


@pytest.mark.parametrize("uri", ["https://host/models", "ftp://host/models", "models:x"])
def test_an_unknown_scheme_is_refused_with_the_known_ones(uri):
    with pytest.raises(
        InputError, match=r"cannot be written\. Use a path or one of file, gs, minio, s3"
    ):
        storage.open_store(uri)


def test_a_whole_bucket_has_no_folder_above_it():
    assert storage.split("gs://models/emotion/run-1/") == ("gs://models/emotion", "run-1")
    with pytest.raises(InputError, match="gs://models: is a whole bucket"):
        storage.split("gs://models")


class Unconditional(s3fs.S3FileSystem):
    """Writes to a service as if that ignored conditions."""

    async def _pipe_file(self, path, data, **_):
        return await super()._pipe_file(path, data)


def test_a_service_that_ignores_conditions_is_refused(s3_bucket, monkeypatch):
    monkeypatch.setattr("components.storage.s3.S3FileSystem", Unconditional)
    store = storage.open_store(f"{s3_bucket}/unguarded")

    with pytest.raises(InputError, match="ignores the conditions of a write"):
        store.replace("marker.json", b"one", 0)


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 10**9), max_size=40))
def test_every_file_is_in_one_batch_and_large_ones_do_not_wait_for_each_other(sizes):
    groups = list(batches(sizes))

    assert sorted(name for batch in groups for name in batch) == sorted(sizes)
    assert all(len(batch) >= 8 for batch in groups[:-1])


def test_kfps_name_for_its_own_store_leads_to_the_same_files(s3_bucket, tmp_path):
    tree(tmp_path / "source", {"a": b"1"})
    storage.upload(storage.open_store(f"{s3_bucket}/kfp"), tmp_path / "source", ["a"])
    uri = f"{s3_bucket}/kfp".replace("s3://", "minio://")

    storage.require_there(uri)
    assert content_of(storage.fetch(uri, tmp_path / "downloads")) == {"a": b"1"}
