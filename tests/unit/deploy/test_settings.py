import pytest

from components.artifacts.signatures import Trust
from components.artifacts.signer import Signer
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
        {"model_images": "gs://bucket/models"},
        {"model_images": "oci://registry.example/emotion:latest"},
    ],
)
def test_a_setting_out_of_range_is_refused(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        DeploySettings(**setting)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"signing_key": "k.pem"}, "signing_key: is set, but without a registry"),
        ({"signer_identity": "me"}, "signer_identity='me': does not go with signer_issuer=''"),
        (
            {
                "registry": "r",
                "signing_key": "k",
                "signer_identity": "me",
                "signer_issuer": "https://x",
            },
            "signing_key='k': is set beside signer_identity",
        ),
    ],
)
def test_signers_that_contradict_are_refused(given, rule):
    with pytest.raises(InputError, match=rule):
        DeploySettings(**given)


def test_an_identity_is_demanded_of_the_predictor():
    given = {"signer_identity": "me@example.com", "signer_issuer": "https://issuer.example"}
    settings = DeploySettings(registry="models", **given)
    assert settings.trust == Trust(**given)
    assert settings.signer == Signer(identity="me@example.com", issuer="https://issuer.example")
