import pytest

from components.errors import InputError
from pipelines.lock import pushed_reference, read_lock, write_lock

ONE, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def test_the_digest_is_that_of_the_repository_and_not_of_one_with_a_longer_name():
    digests = [f"host/train-old@{OTHER}", f"elsewhere/train@{OTHER}", f"host/train@{ONE}"]
    assert pushed_reference("host/train", digests) == f"host/train@{ONE}"


def test_the_default_registry_may_be_named():
    assert (
        pushed_reference("docker.io/me/train", [f"me/train@{ONE}"]) == f"docker.io/me/train@{ONE}"
    )


@pytest.mark.parametrize("digests", [[], [f"elsewhere/train@{ONE}"]])
def test_an_image_that_was_not_pushed_there_is_refused(digests):
    with pytest.raises(InputError, match=r"image host/train: has not been pushed. Run: make push"):
        pushed_reference("host/train", digests)


def engine(folder, said):
    program = folder / "engine"
    (folder / "said").write_bytes(said)
    program.write_text(f"#!/bin/sh\ncat '{folder / 'said'}'\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    "said", [b"", b"no JSON", b"{}x", b'{"a": 1}', b"[1]", b"3", b"\xff", b"[" * 100_000]
)
def test_what_lists_no_digests_is_not_docker(tmp_path, said):
    with pytest.raises(InputError, match=r"lists no digests: it answers .*Name Docker's with"):
        write_lock(tmp_path / "lock.yaml", "host", "1", ["train"], engine(tmp_path, said))


def test_the_digests_that_the_client_lists_are_written(tmp_path):
    listed = f'["host/emotion-pipeline/train@{ONE}"]\n'.encode()
    write_lock(tmp_path / "lock.yaml", "host", "1", ["train"], engine(tmp_path, listed))
    assert read_lock(tmp_path / "lock.yaml") == {"train": f"host/emotion-pipeline/train@{ONE}"}


@pytest.mark.parametrize("docker", ["", "no-such-engine", "/", "a\0b"])
def test_what_is_no_program_is_no_client(tmp_path, docker):
    with pytest.raises(InputError, match=r"^container engine .*: cannot be run"):
        write_lock(tmp_path / "lock.yaml", "host", "1", ["train"], docker)
