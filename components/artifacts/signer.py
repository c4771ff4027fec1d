"""Signing a folder that is about to be published (see `artifacts.signatures`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts.model.bundle import SIGNATURE
from components.artifacts.signatures import CURVES, Trust, hashing
from components.errors import InputError, WorkError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from model_signing.signing import Config


@dataclass(frozen=True)
class Signer:
    """Who signs: the holder of a key, or the identity of this process, with Sigstore.

    Args:
        private_key: Path of a private key in PEM form, without a password; empty for Sigstore.
        identity: The identity that Sigstore will find, such as the account of the pod.
        issuer: URL of the issuer that confirms it.
    """

    private_key: str = ""
    identity: str = ""
    issuer: str = ""

    def trust(self) -> Trust:
        """Tell what to verify the signatures with.

        Raises:
            InputError: If the private key cannot be used.
        """
        if not self.private_key:
            return Trust(signer_identity=self.identity, signer_issuer=self.issuer)
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = _private_key(self.private_key).public_key()
        content = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return Trust(public_key=content.decode())

    def sign(self, folder: Path) -> None:
        """Sign all files of a folder, and put the signature among them.

        Raises:
            InputError: If the private key cannot be used, or there is no identity here.
            WorkError: If Sigstore does not sign.
        """
        from model_signing.signing import Config

        config = Config().set_hashing_config(hashing())
        if self.private_key:
            _private_key(self.private_key)
            config.use_elliptic_key_signer(private_key=self.private_key)
            config.sign(folder, folder / SIGNATURE)
        else:
            _sign_with_sigstore(config, folder)


def _sign_with_sigstore(config: "Config", folder: Path) -> None:
    """Without the identity of its surroundings, the library would ask a person in a browser."""
    from sigstore.errors import Error as SigstoreError
    from sigstore.oidc import IssuerError, detect_credential

    try:
        if not (token := detect_credential()):
            rule = "cannot be proved: nothing here gives a token of OpenID Connect"
            fix = "Run where there is one (GKE's workload identity, GitHub), or set signing_key"
            raise InputError("signer_identity", rule, fix)
        config.use_sigstore_signer(identity_token=token)
        config.sign(folder, folder / SIGNATURE)
    except (SigstoreError, IssuerError) as error:
        rule = f"Sigstore does not sign for it: {' '.join(str(error).split()):.300}"
        raise WorkError("signer_identity", rule, "Check the network, and run it again") from error


def _private_key(path: str) -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    thing = f"signing_key={path!r}"
    fix = "Make one with: openssl ecparam -name prime256v1 -genkey -noout -out signing.pem"
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except OSError as error:
        raise InputError(thing, f"cannot be read ({error.strerror})", fix) from error
    except (ValueError, TypeError) as error:
        rule = "is not a private key in PEM form without a password"
        raise InputError(thing, rule, fix) from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name not in CURVES:
        raise InputError(thing, f"is not of a curve that signs ({', '.join(CURVES)})", fix)
    return key
