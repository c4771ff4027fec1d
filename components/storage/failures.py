"""Errors of a store; every client library has its own."""

from components.errors import InputError, WorkError


def unusable(uri: str, error: Exception) -> InputError:
    """The error of a store that refuses a request."""
    fix = "Check the address and the account's permissions"
    return InputError(uri, f"cannot be used: {error}", fix)


def unreachable(uri: str, error: Exception) -> WorkError:
    """The error of a store that does not answer in time."""
    fix = "Check the network and run the step again"
    return WorkError(uri, f"cannot be reached: {error}", fix)


def damaged(uri: str, error: Exception) -> WorkError:
    """The error of a file whose checksum is not that of the file that was sent."""
    reason = str(error).partition("\n")[0].rstrip(":")
    return WorkError(uri, f"a file arrived damaged: {reason}", "Run the step again")
