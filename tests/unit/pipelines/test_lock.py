import pytest

from components.errors import InputError
from pipelines.lock import pushed_reference

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
