"""A folder in object storage or on a disk: the operations on its files, and their errors."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from components.errors import InputError, StepError, WorkError

Kinds = tuple[type[Exception], ...]

# What libraries raise that take an answer or a file for one of its right form.
_MISREAD = (AttributeError, LookupError, RecursionError, TypeError)


class Store(Protocol):
    """The files below one folder, by their names relative to it.

    `put` and `get` move whole files, several at a time, and trust the names:
    `components.storage.upload` and `download` check them first.
    """

    uri: str
    """The folder, without a slash at the end."""

    def sizes(self) -> Mapping[str, int]:
        """Map every file below the folder to its bytes.

        If the URI names a file, the name in the map is "". Folders without files are left out,
        since object storage has none.
        """

    def put(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files from a local folder; a file of the same name is replaced."""

    def get(self, names: Iterable[str], folder: Path) -> None:
        """Copy files into a local folder, whose subfolders exist."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are ignored."""

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; a file of the same name is replaced."""

    def read(self, name: str) -> tuple[bytes, int]:
        """Read a small file and its generation, which its content decides; b"" and 0 if missing."""

    def replace(self, name: str, content: bytes, expected: int) -> int:
        """Write a small file if it is at the expected generation, 0 if it must not exist yet.

        Returns:
            The new generation, or 0 if the file is at another one and was left unchanged.
        """


@contextmanager
def explained(
    uri: str,
    unusable: Kinds,
    damaged: Kinds,
    unreachable: Kinds,
    *,
    settings: str,
    has_account: bool = True,
) -> Iterator[None]:
    """Turn the errors of a provider's client library into ours.

    Args:
        uri: The store.
        unusable: Errors of a store that refuses a request.
        damaged: Errors of a file whose checksum is not that of the file that was sent.
        unreachable: Errors of a store that does not answer in time.
        settings: Names of the settings that say what answers for the store, and to whom.
        has_account: False if there were no credentials, as public stores need none.

    Raises:
        InputError: If the store is unusable.
        WorkError: If a file is damaged, or the store is unreachable.
    """
    try:
        yield
    except StepError:
        raise
    except unusable as error:
        fix = "Check the address, the account's credentials and its permissions"
        if not has_account:
            fix = "There are no credentials here: give those of an account, or check the address"
        raise InputError(uri, f"cannot be used: {_line(error)}", fix) from error
    except damaged as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        rule = f"a file arrived damaged: {reason}"
        raise WorkError(uri, rule, "Run the step again") from error
    except unreachable as error:
        fix = "Check the network and run the step again"
        raise WorkError(uri, f"cannot be reached: {_line(error)}", fix) from error
    except _MISREAD as error:
        rule = "cannot be used: what answers for it, or one of its settings, is of another form"
        raise InputError(uri, f"{rule} ({error!r:.200})", f"Check {settings}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def hashed_generation(content: bytes) -> int:
    """Compute a generation from what decides it: 52 bits, which any JSON reader keeps exactly."""
    return int(hashlib.sha256(content).hexdigest()[:13], 16)
