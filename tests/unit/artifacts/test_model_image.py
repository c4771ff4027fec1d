"""A model as an image: what is in it, and its way into a registry."""

import io
import json
import os
import re
import shutil
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, Response

from components.artifacts.image_repository import ImageRepository, require_repository
from components.artifacts.model import bundle
from components.artifacts.model_image import publish_image
from components.errors import InputError, WorkError
from tests.fakes.oci_registry import oci_registry

REFUSAL = {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}


@pytest.fixture
def registry():
    with oci_registry() as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


@pytest.fixture
def another(sealed_model, tmp_path):
    folder = shutil.copytree(sealed_model, tmp_path / "another")
    (folder / bundle.ONNX["int8"]).write_bytes(b"other weights")
    bundle.write_manifest(folder, {})
    return folder


def layer_of(registry, tag):
    """The one layer of an image, and its manifest."""
    manifest = json.loads(registry.manifests[registry.tags[tag]])
    (layer,) = manifest["layers"]
    return registry.blobs[layer["digest"]], manifest


def test_the_image_holds_what_serves_where_kserve_looks_for_it(sealed_model, registry, tmp_path):
    uri = publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    assert uri == f"oci+native://{registry.host}/team/emotion@{registry.tags['run-1']}"
    layer, _ = layer_of(registry, "run-1")
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        entries = {each.name: each for each in tar.getmembers()}
        tar.extractall(tmp_path, filter="data")
    files = {name for name, each in entries.items() if each.isfile()}
    assert files == {f"models/{name}" for name in (*bundle.SERVING, bundle.MANIFEST)}
    assert bundle.verify(tmp_path / "models").sha256 == bundle.verify(sealed_model).sha256
    # Whoever the pod runs as may read it, and nobody may change it.
    assert {each.mode for each in entries.values() if each.isfile()} == {0o644}
    assert {each.mode for each in entries.values() if each.isdir()} == {0o755}


def test_its_config_names_the_layer_as_the_specification_demands(sealed_model, registry):
    publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    _, manifest = layer_of(registry, "run-1")
    config = json.loads(registry.blobs[manifest["config"]["digest"]])
    # An uncompressed layer is its own difference.
    assert config["rootfs"] == {"type": "layers", "diff_ids": [manifest["layers"][0]["digest"]]}
    assert {config["os"], config["architecture"]} == {"linux", "amd64"}
    assert manifest["annotations"] == {"org.opencontainers.image.version": "run-1"}


def test_the_same_model_is_the_same_image_and_pushed_once(sealed_model, registry):
    first = publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    asked = len(registry.asked)
    for name in bundle.names(sealed_model):
        os.utime(sealed_model / name, (1, 1))
    assert publish_image(sealed_model, ImageRepository(registry.repository), "run-1") == first
    assert registry.asked[asked:] == ["HEAD manifests"]


def test_a_folder_with_what_serves_alone_is_the_same_image(sealed_model, registry, tmp_path):
    serving = tmp_path / "serving"
    for name in (*bundle.SERVING, bundle.MANIFEST):
        (serving / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sealed_model / name, serving / name)
    whole = publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    assert publish_image(serving, ImageRepository(registry.repository), "run-1") == whole


def test_another_model_does_not_take_the_tag(sealed_model, another, registry):
    publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    before = dict(registry.tags)
    with pytest.raises(InputError, match=r"emotion:run-1: names another image: of another model"):
        publish_image(another, ImageRepository(registry.repository), "run-1")
    assert registry.tags == before


def test_what_was_cut_off_is_pushed_again(sealed_model, registry):
    registry.instead = [
        Response(status_code=404),
        Response(status_code=404),
        JSONResponse(REFUSAL, 403),
    ]
    with pytest.raises(InputError, match="403: requested access is denied"):
        publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    assert registry.tags == {}
    publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    assert list(registry.tags) == ["run-1"]


def test_a_registry_that_is_busy_is_asked_again(sealed_model, registry):
    registry.instead = [Response(status_code=503), Response(status_code=429)]
    publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    assert list(registry.tags) == ["run-1"]


def test_a_registry_that_stays_away_is_named(sealed_model, registry):
    registry.instead = [Response(status_code=503)] * 4
    with pytest.raises(WorkError, match="team/emotion: answers 503: Service Unavailable"):
        publish_image(sealed_model, ImageRepository(registry.repository), "run-1")
    with pytest.raises(WorkError, match="cannot be reached"):
        publish_image(sealed_model, ImageRepository("oci://127.0.0.1:1/team/emotion"), "run-1")


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<html>"),
        Response(status_code=401),
        Response(status_code=401, headers={"WWW-Authenticate": "Negotiate"}),
    ],
)
def test_what_is_no_registry_is_said_to_be_none(sealed_model, registry, answer):
    registry.instead = [answer] * 2
    with pytest.raises(InputError, match=r"as no image registry does|asks for credentials"):
        publish_image(sealed_model, ImageRepository(registry.repository), "run-1")


def test_a_registry_without_tls_is_said_to_have_none(registry, monkeypatch):
    # Where this machine's own address is no loopback address, TLS is spoken.
    monkeypatch.setattr("components.artifacts.image_repository._LOOPBACK", re.compile("none"))
    repository = ImageRepository(registry.repository, pause_seconds=0.01)
    with pytest.raises(WorkError, match=r"SSL.* Give it TLS, .* REQUESTS_CA_BUNDLE"):
        repository.require_pushable()


def test_a_password_is_not_sent_in_the_clear(registry, tmp_path):
    challenge = {"WWW-Authenticate": 'Basic realm="registry"'}
    registry.instead = [Response(status_code=401, headers=challenge)]
    with pytest.raises(InputError, match="asks for credentials, which a loopback"):
        ImageRepository(registry.repository, tmp_path / "none").require_pushable()


@pytest.mark.parametrize("content", ['{"auths": {"here": 3}}', '{"auths": []}', '{"auths": 1}'])
def test_broken_credentials_are_named(registry, tmp_path, content):
    path = tmp_path / "config.json"
    path.write_text(content)
    registry.instead = [Response(status_code=401, headers={"WWW-Authenticate": "Basic"})]
    with pytest.raises(InputError, match="credentials"):
        ImageRepository(registry.repository, path).require_pushable()


def test_trying_a_repository_out_leaves_no_image(registry):
    ImageRepository(registry.repository).require_pushable()
    assert registry.tags == {}
    assert list(registry.blobs.values()) == [b"{}"]


@pytest.mark.parametrize("tag", ["", "-run", "a run", "run/1", "r" * 129, "lauf-\u00fc", "run\n"])
def test_a_run_that_cannot_be_a_tag_is_refused(sealed_model, tag):
    with pytest.raises(InputError, match="cannot be the tag"):
        publish_image(sealed_model, ImageRepository("oci://127.0.0.1:1/team/emotion"), tag)


@pytest.mark.parametrize(
    "uri",
    [
        "oci://registry.example/emotion",
        "oci://europe-docker.pkg.dev/my-project/models/emotion_2",
        "oci://localhost:5000/a",
        "oci://localhost/a",
        "oci://10.0.0.7:5000/team/emotion.v1",
    ],
)
def test_a_repository_is_host_and_path(uri):
    require_repository("model_images", uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "registry.example/emotion",
        "https://registry.example/emotion",
        "oci+native://registry.example/emotion",
        "oci://registry/emotion",
        "oci://registry.example:99999/emotion",
        "oci://registry.example:0/emotion",
        "oci://registry.example",
        "oci://registry.example/",
        "oci://registry.example/Emotion",
        "oci://registry.example/emotion:latest",
        f"oci://registry.example/emotion@sha256:{'0' * 64}",
        "oci://registry.example/emotion/",
        "oci://registry.example//emotion",
        "oci://user@registry.example/emotion",
        "oci://registry.example/../emotion",
        "oci://registry.example/emotion\n",
    ],
)
def test_anything_else_is_not(uri):
    with pytest.raises(InputError, match="model_images="):
        require_repository("model_images", uri)


@given(st.from_regex(r"oci://[a-zA-Z0-9.:@/_-]{1,40}", fullmatch=True))
def test_what_is_taken_for_a_repository_has_one_host_and_no_tag(uri):
    try:
        require_repository("model_images", uri)
    except InputError:
        return
    host, _, path = uri.removeprefix("oci://").partition("/")
    assert re.fullmatch(r"[\w.-]+(:\d+)?", host)
    assert re.fullmatch(r"[a-z0-9._/-]+", path)
