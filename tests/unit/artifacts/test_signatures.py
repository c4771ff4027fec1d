"""Signing and verifying folders with the real library and its own command."""

import base64
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.artifacts.model import bundle
from components.artifacts.model.bundle import SIGNATURE
from components.artifacts.signatures import ANYBODY, Trust, verify
from components.artifacts.signer import Signer
from components.errors import InputError, WorkError
from tests.keys import new_signer, private_pem

GOOGLE = "https://accounts.google.com"
FILES = ["labels.json", "manifest.json", "merged/tokenizer.json", "onnx/model.int8.onnx"]


@pytest.fixture
def signer(tmp_path):
    return new_signer(tmp_path)


@pytest.fixture
def signed(sealed_model, signer, tmp_path):
    """The part of a model that serves, signed."""
    folder = tmp_path / "serving"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sealed_model / name, folder / name)
    signer.sign(folder)
    return folder


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1, ec.SECP521R1])
def test_what_was_signed_verifies(signed, tmp_path, curve):
    signer = new_signer(tmp_path, "other.pem", curve)
    signer.sign(signed)
    verify(signed, signer.trust())
    assert sorted(signed_names(signed)) == FILES


def signed_names(folder):
    statement = json.loads(signed_content((folder / SIGNATURE).read_bytes()))
    return [each["name"] for each in statement["predicate"]["resources"]]


def signed_content(signature):
    return base64.b64decode(json.loads(signature)["dsseEnvelope"]["payload"])


def test_the_public_key_may_be_a_file(signed, signer, tmp_path):
    path = tmp_path / "signing.pub"
    path.write_text(signer.trust().public_key)
    verify(signed, Trust(public_key=str(path)))


@pytest.mark.parametrize("around", ["\n{}", "  {}  ", "my key\n{}", "\ufeff{}"])
def test_a_public_key_may_have_text_around_it(signed, signer, tmp_path, around):
    text = around.format(signer.trust().public_key)
    verify(signed, Trust(public_key=text))
    (tmp_path / "my key.pub").write_text(text)
    verify(signed, Trust(public_key=str(tmp_path / "my key.pub")))


def test_a_file_that_is_more_than_a_key_is_refused(signed, signer, tmp_path):
    path = tmp_path / "bundle.pem"
    path.write_text("x" * 100_000 + "\n" + signer.trust().public_key)
    with pytest.raises(InputError, match=r"public_key='.*bundle\.pem': is not a public key"):
        verify(signed, Trust(public_key=str(path)))


@pytest.mark.parametrize("before", ["", "\n", "key: "])
def test_a_private_key_that_is_given_by_mistake_is_not_shown(signed, signer, before):
    private = Path(signer.private_key).read_text()
    with pytest.raises(InputError, match="public_key: is not a public key") as told:
        verify(signed, Trust(public_key=before + private))
    assert private.splitlines()[1] not in str(told.value)


def test_a_signed_folder_is_a_model_folder_and_may_move_and_be_a_link(signed, signer, tmp_path):
    moved = signed.rename(tmp_path / "models")
    link = tmp_path / "mounted"
    link.symlink_to(moved)
    verify(link, signer.trust())
    assert set(bundle.verify(moved).files) == set(FILES) - {bundle.MANIFEST}


def test_the_librarys_own_command_verifies_it(signed, signer, tmp_path):
    (tmp_path / "signing.pub").write_text(signer.trust().public_key)
    options = ["--signature", signed / SIGNATURE, "--public_key", tmp_path / "signing.pub"]
    command = [sys.executable, "-m", "model_signing", "verify", "key", signed, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Verification succeeded")


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_refused(signed, signer, name):
    content = bytearray((signed / name).read_bytes())
    content[-1] ^= 1
    (signed / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"model\.sig: does not vouch .*Hash mismatch.*{name}"):
        verify(signed, signer.trust())


@pytest.mark.parametrize("name", ["extra.txt", ".hidden", ".gitattributes", ".git/config", "a/b"])
def test_an_added_file_is_refused(signed, signer, name):
    (signed / name).parent.mkdir(exist_ok=True)
    (signed / name).write_text("x")
    with pytest.raises(InputError, match=rf"does not vouch .*Extra files found.*{name}"):
        verify(signed, signer.trust())


def test_a_missing_file_is_refused(signed, signer):
    (signed / bundle.LABELS).unlink()
    with pytest.raises(InputError, match=r"Missing files.*labels\.json"):
        verify(signed, signer.trust())


def test_a_link_in_place_of_a_file_is_refused(signed, signer, tmp_path):
    (signed / bundle.LABELS).rename(tmp_path / "labels.json")
    (signed / bundle.LABELS).symlink_to(tmp_path / "labels.json")
    with pytest.raises(InputError, match="does not vouch"):
        verify(signed, signer.trust())


def test_another_key_is_refused(signed, tmp_path):
    with pytest.raises(InputError, match=r"does not vouch .*Key mismatch"):
        verify(signed, new_signer(tmp_path, "other.pem").trust())


def test_another_key_that_says_it_is_the_right_one_is_refused(signed, signer, tmp_path):
    path = signed / SIGNATURE
    hint = json.loads(path.read_text())["verificationMaterial"]
    new_signer(tmp_path, "other.pem").sign(signed)
    forged = json.loads(path.read_text()) | {"verificationMaterial": hint}
    path.write_text(json.dumps(forged))
    with pytest.raises(InputError, match="its signer is not the one that is trusted"):
        verify(signed, signer.trust())


def test_a_signature_of_other_files_is_refused(signed, signer):
    signature = (signed / SIGNATURE).read_bytes()
    (signed / bundle.LABELS).write_text("{}")
    signer.sign(signed)
    verify(signed, signer.trust())
    (signed / SIGNATURE).write_bytes(signature)
    with pytest.raises(InputError, match=r"Hash mismatch for 'labels\.json'"):
        verify(signed, signer.trust())


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_stripped_signature_is_refused_only_where_one_is_demanded(signed, signer, is_folder):
    (signed / SIGNATURE).unlink()
    if is_folder:
        (signed / SIGNATURE).mkdir()
    with pytest.raises(InputError, match=r"model\.sig: is missing, but only signed models"):
        verify(signed, signer.trust())
    verify(signed, ANYBODY)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_changed_signature_verifies_only_what_was_signed(signed, signer, data):
    trust, path = signer.trust(), signed / SIGNATURE
    original = path.read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    cut = data.draw(st.binary(max_size=3))
    changed = original[:place] + cut + original[place + data.draw(st.integers(0, 3)) :]
    path.write_bytes(changed)
    try:
        verify(signed, trust)
    except InputError:
        return
    finally:
        path.write_bytes(original)
    assert signed_content(changed) == signed_content(original)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["mediaType", "verificationMaterial", "dsseEnvelope", "payload"]), inner
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_what_is_no_signature_is_refused(signed, signer, content):
    (signed / SIGNATURE).write_bytes(content)
    with pytest.raises(InputError, match="does not vouch"):
        verify(signed, signer.trust())


def test_keys_that_cannot_sign_are_refused(signed, tmp_path):
    usable = Path(new_signer(tmp_path).private_key)
    public = (ec.generate_private_key(ec.SECP256R1())).public_key()
    password = BestAvailableEncryption(b"secret")
    keys = {
        "rsa.pem": private_pem(rsa.generate_private_key(65537, 2048)),
        "curve.pem": private_pem(ec.generate_private_key(ec.SECP256K1())),
        "text.pem": b"no key",
        "public.pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "password.pem": ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, password
        ),
    }
    for name, content in keys.items():
        (tmp_path / name).write_bytes(content)
    for name in [*keys, "none.pem"]:
        signer = Signer(str(tmp_path / name))
        for use in (signer.trust, lambda signer=signer: signer.sign(signed)):
            with pytest.raises(InputError, match=rf"signing_key='.*{name}': .* openssl"):
                use()
        with pytest.raises(InputError, match=r"public_key='.*\.pem': .* openssl"):
            verify(signed, Trust(public_key=str(usable)))


def test_a_public_key_of_another_kind_is_refused(signed):
    key = rsa.generate_private_key(65537, 2048).public_key()
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for given_, rule in (
        (text, "not of a curve"),
        ("-----BEGIN X", "not a public key"),
        ("no", ""),
    ):
        with pytest.raises(InputError, match=f"public_key.*{rule}"):
            verify(signed, Trust(public_key=given_))


@pytest.mark.parametrize(
    ("given_", "rule"),
    [
        ({"signer_identity": "me@example.com"}, "does not go with signer_issuer=''"),
        ({"signer_issuer": GOOGLE}, "signer_identity='': does not go with"),
        ({"public_key": "k", "signer_identity": "me", "signer_issuer": GOOGLE}, "one signature"),
        ({"public_key": "x" * 5000}, "has 5000 characters, more than 4096"),
        ({"signer_identity": "me", "signer_issuer": "google"}, "signer_issuer='google'"),
    ],
)
def test_contradictions_are_refused(given_, rule):
    with pytest.raises(InputError, match=rule):
        Trust(**given_)


def test_without_an_identity_sigstore_does_not_ask_a_person(signed, monkeypatch):
    # A workflow that may not have a token gets another error.
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    signer = Signer(identity="me@example.com", issuer=GOOGLE)
    assert signer.trust() == Trust(signer_identity="me@example.com", signer_issuer=GOOGLE)
    with pytest.raises(InputError, match="signer_identity: cannot be proved"):
        signer.sign(signed)


def test_sigstore_that_cannot_be_asked_verifies_nothing(signed, monkeypatch, tmp_path):
    def unknown(*_, **__):
        raise socket.gaierror("no such name")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(WorkError, match="Sigstore: does not tell its own keys"):
        verify(signed, Trust(signer_identity="me@example.com", signer_issuer=GOOGLE))
