import pytest

from components.deploy.settings import DeploySettings
from components.errors import InputError


@pytest.mark.parametrize("name", ["a", "emotion", "emotion-2", "a" * 40, "predictor", "default-2"])
def test_a_dns_label_is_a_service_name(name):
    assert DeploySettings(service_name=name).service_name == name


@pytest.mark.parametrize(
    "name", ["", "Emotion", "2nd", "-a", "a-", "a_b", "a.b", "a b", "a" * 41, "emotion\n"]
)
def test_anything_else_is_not(name):
    with pytest.raises(InputError, match="service_name"):
        DeploySettings(service_name=name)


@pytest.mark.parametrize("part", ["predictor", "default", "candidate"])
def test_a_name_that_kserve_gives_to_parts_of_a_service_is_refused(part):
    with pytest.raises(InputError, match=rf"service_name='emotion-{part}'.*must not end in -pred"):
        DeploySettings(service_name=f"emotion-{part}")


def test_an_unknown_target_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"^target='cluster'.*kserve, local, render"):
        DeploySettings(target="cluster")


@pytest.mark.parametrize("image", ["", " ", "an image"])
def test_an_image_that_cannot_be_is_refused(image):
    with pytest.raises(InputError, match="image"):
        DeploySettings(image=image)


@pytest.mark.parametrize(
    "setting",
    [
        {"mode": "Serverless"},
        {"canary_percent": -1},
        {"namespace": "a/b"},
        {"canary_percent": 100},
        {"ready_seconds": 0},
        {"endpoint_seconds": float("nan")},
        {"max_latency_ms": 0},
    ],
)
def test_a_setting_out_of_range_is_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        DeploySettings(**setting)
