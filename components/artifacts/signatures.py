"""Signatures of published models: who vouches for the files that are served.

A signature is the file `model.sig` in the folder that it is for: a Sigstore bundle over the sha256
of every other file there, as OpenSSF's model signing defines it. It is made with a key, or by
Sigstore for an identity that an OpenID Connect issuer confirms (see `artifacts.signer`).

Source: https://github.com/sigstore/model-transparency, package model-signing
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts.model.bundle import SIGNATURE
from components.errors import InputError, WorkError, require_http_url

if TYPE_CHECKING:
    from model_signing.hashing import Config as HashingConfig
    from model_signing.verifying import Config as VerifyingConfig

CURVES = ("secp256r1", "secp384r1", "secp521r1")
"""The elliptic curves whose keys sign models."""
_MOST_CHARACTERS = 4096
_PEM = "-----BEGIN"


@dataclass(frozen=True)
class Trust:
    """Whose signature a model must have: a key's, an identity's, or nobody's.

    Args:
        public_key: A public key in PEM form, or the path of a file with one; may be empty.
        signer_identity: Who must have signed with Sigstore, often an e-mail address; may be empty.
        signer_issuer: URL of the issuer that confirms the identity.

    Raises:
        InputError: If there are two of them, or half an identity.
    """

    public_key: str = ""
    signer_identity: str = ""
    signer_issuer: str = ""

    def __post_init__(self) -> None:
        if bool(self.signer_identity) != bool(self.signer_issuer):
            thing = f"signer_identity={self.signer_identity!r}"
            rule = f"does not go with signer_issuer={self.signer_issuer!r}"
            raise InputError(thing, rule, "Set both or none")
        if self.public_key and self.signer_identity:
            rule = "is set beside signer_identity, but a model has one signature"
            raise InputError("public_key", rule, "Set one of them")
        if self.signer_issuer:
            require_http_url("signer_issuer", self.signer_issuer)
        if len(self.public_key) > _MOST_CHARACTERS:
            rule = f"has {len(self.public_key)} characters, more than {_MOST_CHARACTERS}"
            raise InputError("public_key", rule, "Give one key, in PEM form")

    @property
    def demands(self) -> bool:
        """True if a model must be signed."""
        return bool(self.public_key or self.signer_identity)

    def require_usable(self) -> None:
        """Refuse a public key that no signature could be verified with.

        Raises:
            InputError: If it cannot be read, or is of another kind.
        """
        if self.public_key:
            _public_key(self.public_key)


ANYBODY = Trust()
"""Demands no signature."""


def verify(folder: Path, trust: Trust) -> None:
    """Check that a folder holds what has been signed, and nothing else.

    Args:
        folder: The folder, with its signature.
        trust: Who must have signed it; if nobody, every folder passes.

    Raises:
        InputError: If the signature is missing, malformed or somebody else's, or a file is missing,
            changed or was added.
        WorkError: If Sigstore is needed and does not answer.
    """
    if not trust.demands:
        return
    signature = folder / SIGNATURE
    if not signature.is_file():
        raise unsigned(str(signature))
    trust.require_usable()
    _verify(folder, trust)


def unsigned(signature: str) -> InputError:
    """The error for a signature that is missing where one is demanded."""
    rule = "is missing, but only signed models are trusted here"
    fix = "Sign the model (docs/signing.md says how), or trust unsigned ones"
    return InputError(signature, rule, fix)


def hashing() -> "HashingConfig":
    """Tell which files a signature is for: all but itself, those of git among them."""
    from model_signing.hashing import Config

    return Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)


def _verify(folder: Path, trust: Trust) -> None:
    from cryptography.exceptions import InvalidSignature
    from sigstore.errors import Error as SigstoreError
    from sigstore.errors import NetworkError, TUFError

    signature = folder / SIGNATURE
    try:
        # It refuses a folder that is a link, as KServe's may be.
        _verifier(trust).verify(folder.resolve(), signature)
    except (NetworkError, TUFError) as error:
        fix = "Allow the way to it, or trust a public key"
        raise WorkError("Sigstore", f"does not tell its own keys: {_line(error)}", fix) from error
    # The last ones are what it makes of a file that is no signature.
    except (
        *(InvalidSignature, SigstoreError, OSError),
        *(ValueError, LookupError, TypeError, AttributeError, RecursionError),
    ) as error:
        reason = _line(error) or "its signer is not the one that is trusted here"
        fix = "Restore what was published, or trust whoever has signed it"
        raise InputError(
            str(signature), f"does not vouch for this folder: {reason}", fix
        ) from error


def _verifier(trust: Trust) -> "VerifyingConfig":
    from model_signing.verifying import Config

    config = Config().set_hashing_config(hashing())
    if not trust.public_key:
        return config.use_sigstore_verifier(
            identity=trust.signer_identity, oidc_issuer=trust.signer_issuer
        )
    with _as_file(_public_key(trust.public_key)) as path:
        return config.use_elliptic_key_verifier(public_key=path)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _public_key(given: str) -> bytes:
    """The key itself, of a kind that signs."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    fix = "Give the one that belongs to the signing key: openssl ec -in signing.pem -pubout"
    # A text is not shown: it may be a private key, given by mistake.
    thing = "public_key" if _PEM in given else f"public_key={given!r}"
    try:
        content = given.strip().encode() if _PEM in given else _start_of(Path(given))
        key = load_pem_public_key(content)
    except OSError as error:
        raise InputError(thing, f"cannot be read ({error.strerror})", fix) from error
    except ValueError as error:
        raise InputError(thing, "is not a public key in PEM form", fix) from error
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise InputError(thing, f"is not of a curve that signs ({', '.join(CURVES)})", fix)
    return content


def _start_of(file: Path) -> bytes:
    """A key is no longer, and what is longer may not fit into the pipe of `_as_file`."""
    with file.open("rb") as content:
        return content.read(_MOST_CHARACTERS)


@contextmanager
def _as_file(key: bytes) -> Iterator[str]:
    """A path from which a key can be read once, as a pod has no place to write it to."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as file:
            file.write(key)
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
