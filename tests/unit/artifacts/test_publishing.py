"""Publishing a sealed folder and fetching it, on a disk and in object storage."""

import json
import shutil

import pytest

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.bundle import SIGNATURE
from components.artifacts.publishing import fetch, overwrite, publish, publish_model, serving_uri
from components.artifacts.signatures import verify
from components.artifacts.signer import Signer
from components.errors import InputError
from tests.keys import new_signer


@pytest.fixture
def uri(folder_uri):
    return f"{folder_uri}/run-1"


def another(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "another", dirs_exist_ok=True)
    (folder / bundle.ONNX["int8"]).write_bytes(b"other weights")
    bundle.write_manifest(folder, {})
    return folder


def test_a_published_model_is_fetched_and_verified(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)

    fetched = fetch(uri, tmp_path / "downloads")

    assert bundle.verify(fetched.folder).sha256 == bundle.verify(sealed_model).sha256
    assert sorted(storage.open_store(uri).sizes()) == sorted(bundle.names(sealed_model))


def test_publishing_again_changes_nothing(sealed_model, uri):
    publish(sealed_model, uri)
    before = storage.open_store(uri).read(bundle.MANIFEST)
    publish(sealed_model, uri)

    assert storage.open_store(uri).read(bundle.MANIFEST) == before


def test_another_model_is_not_published_over_it(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)

    with pytest.raises(InputError, match="run-1: holds another model"):
        publish(another(sealed_model, tmp_path), uri)
    assert fetch(uri, tmp_path).sha256 == bundle.verify(sealed_model).sha256


def test_another_model_is_not_published_where_one_is_half_written(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)
    storage.open_store(uri).remove([bundle.MANIFEST])

    with pytest.raises(InputError, match=r"run-1: is claimed for another .*claims/run-1\.json if"):
        publish(another(sealed_model, tmp_path), uri)
    publish(sealed_model, uri)
    assert fetch(uri, tmp_path)


def test_a_later_try_overwrites_what_an_earlier_one_has_left(sealed_model, uri, tmp_path):
    overwrite(another(sealed_model, tmp_path), uri)
    overwrite(sealed_model, uri)
    assert fetch(uri, tmp_path / "fetched").sha256 == bundle.verify(sealed_model).sha256


def test_a_model_that_does_not_verify_is_not_published(sealed_model, uri):
    (sealed_model / bundle.ONNX["int8"]).write_bytes(b"flipped")

    with pytest.raises(InputError, match="differs from its sha256"):
        publish(sealed_model, uri)
    assert storage.open_store(uri).sizes() == {}


def test_a_model_without_manifest_is_not_fetched(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)
    storage.open_store(uri).remove([bundle.MANIFEST])

    with pytest.raises(InputError, match=r"has no manifest\.json"):
        fetch(uri, tmp_path / "downloads")
    assert not list(tmp_path.glob("downloads/*"))


def test_a_model_that_lacks_a_file_is_not_fetched(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)
    storage.open_store(uri).remove([bundle.LABELS])

    with pytest.raises(InputError, match=r"labels\.json: is in the manifest but missing"):
        fetch(uri, tmp_path / "downloads")


def test_a_model_with_a_changed_file_is_not_fetched(sealed_model, uri, tmp_path):
    publish(sealed_model, uri)
    storage.open_store(uri).write(bundle.ONNX["int8"], b"weightz")

    with pytest.raises(InputError, match=r"model\.int8\.onnx: differs from its sha256"):
        fetch(uri, tmp_path / "downloads")
    assert not list(tmp_path.glob("downloads/*"))


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "a\\..\\outside"])
def test_a_manifest_that_would_write_elsewhere_is_refused(sealed_model, uri, tmp_path, name):
    publish(sealed_model, uri)
    store = storage.open_store(uri)
    content = json.loads(store.read(bundle.MANIFEST)[0])
    content["files"][name] = "0" * 64
    store.write(bundle.MANIFEST, json.dumps(content).encode())

    with pytest.raises(InputError, match="leads out of the folder"):
        fetch(uri, tmp_path / "downloads")
    assert not list(tmp_path.glob("downloads/*"))


def test_a_bucket_is_no_place_for_a_model(sealed_model, gs_bucket):
    with pytest.raises(InputError, match=f"{gs_bucket}: is a whole bucket"):
        publish(sealed_model, gs_bucket)


def test_a_model_is_published_in_what_serves_and_the_rest(sealed_model, uri, tmp_path):
    publish_model(sealed_model, uri)

    served = fetch(serving_uri(uri), tmp_path / "downloads")

    assert served.sha256 == bundle.verify(sealed_model).sha256
    assert set(served.files) == set(bundle.SERVING)
    assert set(storage.open_store(serving_uri(uri)).sizes()) == {*bundle.SERVING, bundle.MANIFEST}
    assert set(storage.open_store(f"{uri}/rest").sizes()) == {bundle.ONNX["fp32"]}


def test_the_two_folders_of_a_model_make_it_whole(sealed_model, tmp_path):
    publish_model(sealed_model, str(tmp_path / "models" / "run-1"))

    whole = tmp_path / "whole"
    for part in ("serving", "rest"):
        shutil.copytree(tmp_path / "models" / "run-1" / part, whole, dirs_exist_ok=True)

    assert bundle.verify(whole).files == bundle.verify(sealed_model).files


def test_what_serves_can_be_published_again_where_it_is_and_elsewhere(sealed_model, uri, tmp_path):
    publish_model(sealed_model, uri)
    served = fetch(serving_uri(uri), tmp_path / "downloads").folder

    publish_model(served, uri)
    publish_model(served, f"{uri}-again")

    again = fetch(serving_uri(f"{uri}-again"), tmp_path / "again")
    assert again.sha256 == bundle.verify(sealed_model).sha256


def test_another_model_is_not_published_over_the_parts_of_one(sealed_model, uri, tmp_path):
    publish_model(sealed_model, uri)
    with pytest.raises(InputError, match="run-1: holds another model"):
        publish_model(another(sealed_model, tmp_path), uri)

    storage.open_store(serving_uri(uri)).remove([bundle.MANIFEST])
    with pytest.raises(InputError, match="run-1: is claimed for another"):
        publish_model(another(sealed_model, tmp_path), uri)


@pytest.mark.parametrize("name", bundle.SERVING)
def test_what_serves_is_refused_once_a_file_of_it_is_lost_or_changed(
    sealed_model, uri, tmp_path, name
):
    publish_model(sealed_model, uri)
    served = storage.open_store(serving_uri(uri))
    served.write(name, b"other")
    with pytest.raises(InputError, match=f"{name}: differs from its sha256"):
        fetch(serving_uri(uri), tmp_path)
    served.remove([name])
    with pytest.raises(InputError, match="is in the manifest but missing"):
        fetch(serving_uri(uri), tmp_path)


@pytest.mark.parametrize("publishing", [publish, publish_model])
@pytest.mark.parametrize("name", [bundle.TOKENIZER, "merged/added_tokens.json"])
def test_an_empty_file_is_refused_by_name(sealed_model, uri, publishing, name):
    (sealed_model / name).write_bytes(b"")
    bundle.write_manifest(sealed_model, {})

    with pytest.raises(InputError, match=f"{name}: is empty, and KServe does not download empty"):
        publishing(sealed_model, uri)
    assert storage.open_store(uri).sizes() == {}


def test_a_signed_model_is_fetched_with_its_signature(sealed_model, uri, tmp_path):
    signer = new_signer(tmp_path)
    signature = publish_model(sealed_model, uri, signer)
    fetched = fetch(serving_uri(uri), tmp_path / "downloads").folder

    assert storage.sha256(fetched / SIGNATURE) == signature
    verify(fetched, signer.trust())
    assert SIGNATURE not in storage.open_store(f"{uri}/rest").sizes()


def test_of_two_tries_that_sign_at_once_the_first_signature_counts(sealed_model, uri, tmp_path):
    fast = new_signer(tmp_path)
    signatures = []

    class Slow(Signer):
        """Signs after another try of the run has read that nobody has, and has signed."""

        def sign(self, folder):
            signatures.append(publish_model(sealed_model, uri, fast))
            super().sign(folder)

    slow = publish_model(sealed_model, uri, Slow(fast.private_key))
    fetched = fetch(serving_uri(uri), tmp_path / "downloads").folder

    assert [slow, storage.sha256(fetched / SIGNATURE)] == signatures * 2
    verify(fetched, fast.trust())


def test_a_signature_is_made_once(sealed_model, uri, tmp_path):
    signer = new_signer(tmp_path)
    # A model that is in service already may get one.
    assert publish_model(sealed_model, uri) == ""
    first = publish_model(sealed_model, uri, signer)
    assert publish_model(sealed_model, uri, signer) == first

    rule = r"serving/model\.sig: does not vouch .*Key mismatch.* Publish under another name"
    with pytest.raises(InputError, match=rule):
        publish_model(sealed_model, uri, new_signer(tmp_path, "other.pem"))
    assert storage.sha256(fetch(serving_uri(uri), tmp_path / "again").folder / SIGNATURE) == first
