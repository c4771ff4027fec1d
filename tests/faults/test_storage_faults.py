"""Object storage over a network that cuts connections and flips bits, and dying servers."""

import os
import subprocess
import sys

import pytest

from components import storage
from components.artifacts.model import bundle
from components.artifacts.publishing import fetch, publish
from components.errors import InputError, WorkError
from tests.fakes.fault_proxy import DOWN, UP, Fault
from tests.fakes.object_storage import faulty_google, faulty_s3

BIG_BYTES = 20_000_000
HALF = BIG_BYTES // 2


@pytest.fixture(scope="module")
def google():
    with faulty_google() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def s3():
    with faulty_s3() as cloud:
        yield cloud


@pytest.fixture(params=["google", "s3"])
def cloud(request):
    cloud = request.getfixturevalue(request.param)
    cloud.proxy.expect(Fault(UP, 0, times=0))
    return cloud


@pytest.fixture
def uri(cloud, tmp_path):
    return f"{cloud.uri}/{tmp_path.name}/run-1"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed") / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / bundle.ONNX["int8"]).write_bytes(os.urandom(BIG_BYTES))
    (folder / "small").write_bytes(b"small")
    bundle.seal(folder, {})
    return folder


def is_whole(uri, model, into):
    return fetch(uri, into).sha256 == bundle.verify(model).sha256


def assert_no_model_until_published_again(uri, model, into):
    with pytest.raises(InputError, match=r"has no manifest\.json|no such file or folder"):
        fetch(uri, into)
    publish(model, uri)
    assert is_whole(uri, model, into)


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_an_upload_resumes_after_cut_connections(cloud, uri, model, tmp_path, times):
    fault = cloud.proxy.expect(Fault(UP, BIG_BYTES // 4, times=times))

    publish(model, uri)

    assert fault.happened == times
    assert is_whole(uri, model, tmp_path)


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_download_resumes_after_cut_connections(cloud, uri, model, tmp_path, times):
    publish(model, uri)
    fault = cloud.proxy.expect(Fault(DOWN, BIG_BYTES // 4, times=times))

    assert is_whole(uri, model, tmp_path)
    assert fault.happened == times


def test_a_flipped_bit_is_found_on_the_way_down(cloud, uri, model, tmp_path):
    publish(model, uri)
    fault = cloud.proxy.expect(Fault(DOWN, HALF, flip=True))

    with pytest.raises(WorkError, match="a file arrived damaged"):
        fetch(uri, tmp_path)
    assert fault.happened == 1
    assert list(tmp_path.iterdir()) == []
    assert is_whole(uri, model, tmp_path)


def test_a_flipped_bit_is_found_on_the_way_up(google, model, tmp_path):
    uri = f"{google.uri}/{tmp_path.name}/run-1"
    fault = google.proxy.expect(Fault(UP, HALF, flip=True))

    with pytest.raises(WorkError, match="a file arrived damaged"):
        publish(model, uri)
    assert fault.happened == 1
    assert_no_model_until_published_again(uri, model, tmp_path)


def test_a_flipped_bit_that_a_service_accepts_is_found_by_the_reader(s3, model, tmp_path):
    # Moto does not check what is sent to it, as S3 does.
    uri = f"{s3.uri}/{tmp_path.name}/run-1"
    fault = s3.proxy.expect(Fault(UP, HALF, flip=True))

    publish(model, uri)
    assert fault.happened == 1
    with pytest.raises(WorkError, match="a file arrived damaged"):
        fetch(uri, tmp_path)


def test_a_download_survives_a_restart_of_the_server(google, model, tmp_path):
    uri = f"{google.uri}/{tmp_path.name}/run-1"
    publish(model, uri)
    fault = google.proxy.expect(Fault(DOWN, HALF, then=lambda: google.restart(0.5)))

    assert is_whole(uri, model, tmp_path)
    assert fault.happened == 1


def test_an_upload_that_dies_with_the_server_is_not_taken_for_a_model(google, model, tmp_path):
    uri = f"{google.uri}/{tmp_path.name}/run-1"
    fault = google.proxy.expect(Fault(UP, HALF, then=lambda: google.restart(0.5)))

    # This server forgets what is half uploaded, which the real service does not.
    with pytest.raises(InputError, match="cannot be used: 404"):
        publish(model, uri)
    assert fault.happened == 1
    assert_no_model_until_published_again(uri, model, tmp_path)


PUBLISH = """
import sys
from pathlib import Path
from components.artifacts.publishing import publish
publish(Path(sys.argv[1]), sys.argv[2])
"""


def test_a_publish_that_is_killed_half_way_can_be_run_again(cloud, uri, model, tmp_path):
    publishing = subprocess.Popen([sys.executable, "-c", PUBLISH, str(model), uri])
    fault = cloud.proxy.expect(Fault(UP, HALF, then=publishing.kill))
    assert publishing.wait(60) < 0
    assert fault.happened == 1

    assert_no_model_until_published_again(uri, model, tmp_path)


DIES_AT_A_LARGE_FILE = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
"""


def test_a_publish_that_is_killed_half_way_on_a_disk_can_be_run_again(model, tmp_path):
    uri = (tmp_path / "registry" / "run-1").as_uri()
    command = [sys.executable, "-c", DIES_AT_A_LARGE_FILE + PUBLISH, str(model), uri]
    assert subprocess.run(command, check=False, timeout=60).returncode < 0

    assert_no_model_until_published_again(uri, model, tmp_path)
    assert sorted(storage.open_store(uri).sizes()) == sorted(bundle.names(model))
    left = {path.name for path in (tmp_path / "registry").iterdir() if path.is_dir()}
    assert left == {"claims", "run-1"}
