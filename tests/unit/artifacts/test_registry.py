import json
import uuid
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import storage
from components.artifacts.model import bundle
from components.artifacts.publishing import publish, publish_model, serving_uri
from components.artifacts.registry import (
    POINTER,
    Champion,
    evaluation_of_champion,
    fetch_model,
    generation_of,
    keep_evaluation,
    read_champion,
    replace_champion,
    require_guarded,
)
from components.errors import ChampionMovedError, InputError
from tests.evaluations import EVALUATION
from tests.keys import new_signer

FIRST = Champion("run-1", "models/run-1", "a" * 64, {"accuracy": 0.9, "macro_f1": 0.85})
SECOND = Champion("run-2", "models/run-2", "b" * 64, {"accuracy": 0.91, "macro_f1": 0.86})
THIRD = Champion("run-3", "models/run-3", "c" * 64, {})


@pytest.fixture(params=["path", "file", "gs", "gs, whole bucket", "s3"])
def registry(request, tmp_path):
    """An empty registry of each kind."""
    if request.param == "path":
        return str(tmp_path / "new" / "registry")
    if request.param == "file":
        return (tmp_path / "registry").as_uri()
    uri = request.getfixturevalue(f"{request.param[:2]}_bucket")
    if request.param != "gs, whole bucket":
        return f"{uri}/{uuid.uuid4()}/registry/"
    storage.open_store(uri).remove([POINTER])
    return uri


def test_an_empty_registry_has_no_champion(registry):
    assert read_champion(registry) == (None, 0)


def test_the_first_champion_is_read_back_with_its_generation(registry):
    generation = replace_champion(registry, FIRST, expected_generation=0)

    assert generation > 0
    assert read_champion(registry) == (FIRST, generation)


def test_each_champion_has_a_generation_of_its_own(registry):
    first = replace_champion(registry, FIRST, 0)
    second = replace_champion(registry, SECOND, first)

    assert second != first
    assert read_champion(registry) == (SECOND, second)


def test_the_champions_evaluation_is_kept_and_found(registry):
    assert evaluation_of_champion(registry) is None
    keep_evaluation(registry, FIRST.run_id, EVALUATION)
    keep_evaluation(registry, SECOND.run_id, replace(EVALUATION, task="other"))
    assert evaluation_of_champion(registry) is None
    generation = replace_champion(registry, FIRST, expected_generation=0)
    assert evaluation_of_champion(registry) == EVALUATION
    # One whose evaluation was not kept, as of an earlier version.
    replace_champion(registry, THIRD, generation)
    assert evaluation_of_champion(registry) is None


def test_its_generation_as_text_changes_with_the_champion(registry):
    seen = {generation_of(""), generation_of(registry)}
    seen.add(str(replace_champion(registry, FIRST, expected_generation=0)))
    assert generation_of(registry) in seen
    assert len(seen) == 3


def test_a_late_replacement_names_the_winner_and_changes_nothing(registry):
    first = replace_champion(registry, FIRST, 0)
    second = replace_champion(registry, SECOND, first)

    with pytest.raises(ChampionMovedError, match=r"run-2 .* Evaluate the model again"):
        replace_champion(registry, THIRD, first)
    assert read_champion(registry) == (SECOND, second)


def test_who_expected_no_champion_does_not_overwrite_one(registry):
    replace_champion(registry, FIRST, 0)

    with pytest.raises(ChampionMovedError, match="run-1"):
        replace_champion(registry, SECOND, 0)


def test_a_vanished_champion_is_not_replaced(tmp_path):
    generation = replace_champion(str(tmp_path), FIRST, 0)
    (tmp_path / POINTER).unlink()

    with pytest.raises(ChampionMovedError, match="nobody"):
        replace_champion(str(tmp_path), SECOND, generation)


def test_a_retry_after_a_lost_answer_finds_its_own_work_done(registry):
    generation = replace_champion(registry, FIRST, 0)

    assert replace_champion(registry, FIRST, 0) == generation


@pytest.mark.parametrize("uri", ["https://host/models", "memory://models"])
def test_a_registry_that_cannot_be_guarded_is_refused(uri):
    with pytest.raises(InputError, match="Use a path or one of file, gs, minio, s3"):
        require_guarded(uri)


@pytest.mark.parametrize("bucket", ["gs_bucket", "s3_bucket"])
def test_a_bucket_that_is_missing_is_named(bucket, request):
    uri = request.getfixturevalue(bucket).replace("models", "no-such-bucket")
    with pytest.raises(InputError, match=f"{uri}/x: cannot be used"):
        replace_champion(f"{uri}/x", FIRST, 0)


@settings(max_examples=40)
@given(st.text() | st.recursive(st.integers() | st.text(), st.lists).map(json.dumps))
def test_a_pointer_that_names_no_model_is_refused(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("registry")
    (folder / POINTER).write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match="does not name a model"):
        read_champion(str(folder))


@pytest.mark.parametrize("key", ["run_id", "model_uri", "manifest_sha256", "metrics"])
def test_a_pointer_with_a_wrong_or_missing_value_is_refused(tmp_path, key):
    replace_champion(str(tmp_path), FIRST, 0)
    content = json.loads((tmp_path / POINTER).read_text())

    (tmp_path / POINTER).write_text(json.dumps(content | {key: 1}))
    with pytest.raises(InputError):
        read_champion(str(tmp_path))
    del content[key]
    (tmp_path / POINTER).write_text(json.dumps(content))
    with pytest.raises(InputError, match="does not name a model"):
        read_champion(str(tmp_path))


def test_the_released_model_is_fetched(sealed_model, registry, tmp_path):
    uri = published(sealed_model, registry)
    champion = Champion("run-1", uri, bundle.verify(sealed_model).sha256, {})

    model = fetch_model(champion, tmp_path / "downloads")

    assert model.sha256 == bundle.verify(model.folder).sha256 == champion.manifest_sha256
    assert bundle.read_labels(model.folder).names == ("joy", "anger")


def test_another_model_in_the_champions_place_is_refused(sealed_model, registry, tmp_path):
    uri = published(sealed_model, registry)

    with pytest.raises(InputError, match=r"but a{64} was released"):
        fetch_model(Champion("run-1", uri, "a" * 64, {}), tmp_path / "downloads")


def test_a_changed_model_is_refused(sealed_model, tmp_path):
    champion = Champion("run-1", str(sealed_model), bundle.verify(sealed_model).sha256, {})
    (sealed_model / bundle.ONNX["int8"]).write_bytes(b"other weights")

    with pytest.raises(InputError, match="differs from its sha256"):
        fetch_model(champion, tmp_path)


def test_the_signature_of_the_release_is_demanded(sealed_model, registry, tmp_path):
    place, signer = f"{registry.rstrip('/')}/run-{uuid.uuid4()}", new_signer(tmp_path)
    signature = publish_model(sealed_model, place, signer)
    uri, sha256 = serving_uri(place), bundle.verify(sealed_model).sha256
    champion = Champion("run-1", uri, sha256, {}, signature)
    fetch_model(champion, tmp_path / "signed", signer.trust())
    with pytest.raises(InputError, match=r"model\.sig: does not vouch .*Key mismatch"):
        fetch_model(champion, tmp_path / "other", new_signer(tmp_path, "other.pem").trust())

    rule = rf"{uri}/model\.sig: is not the one of the release, {signature}"
    store = storage.open_store(uri)
    store.write(bundle.SIGNATURE, b"{}")
    with pytest.raises(InputError, match=rule):
        fetch_model(champion, tmp_path / "replaced")
    store.remove([bundle.SIGNATURE])
    with pytest.raises(InputError, match=rule):
        fetch_model(champion, tmp_path / "stripped")
    unsigned = Champion("run-1", uri, sha256, {})
    fetch_model(unsigned, tmp_path / "unsigned")
    with pytest.raises(InputError, match=r"model\.sig: is missing, but only signed"):
        fetch_model(unsigned, tmp_path / "demanded", signer.trust())


def test_a_champion_of_an_earlier_version_names_no_signature(tmp_path):
    replace_champion(str(tmp_path), FIRST, 0)
    content = json.loads((tmp_path / POINTER).read_text())
    del content["signature_sha256"]
    (tmp_path / POINTER).write_text(json.dumps(content))
    assert read_champion(str(tmp_path))[0] == FIRST


def published(model, registry):
    uri = f"{registry.rstrip('/')}/run-{uuid.uuid4()}"
    publish(model, uri)
    return uri
