"""Keys that sign models, in tests."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from components.artifacts.signer import Signer


def private_pem(key) -> bytes:
    """A private key as openssl writes it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def new_signer(folder: Path, name: str = "signing.pem", curve=ec.SECP256R1) -> Signer:
    """A signer with a new key in a file of the folder."""
    path = folder / name
    path.write_bytes(private_pem(ec.generate_private_key(curve())))
    return Signer(str(path))
