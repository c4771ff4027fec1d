"""What a user is told when a store fails; every client library has errors of its own."""

from components.errors import InputError


def unusable(uri: str, error: Exception) -> InputError:
    """The store refuses."""
    fix = "Check the address and the rights of the account"
    return InputError(uri, f"cannot be used: {error}", fix)


def unreachable(uri: str, error: Exception) -> InputError:
    """The store does not answer, or not in time."""
    fix = "Check the network and run the step again"
    return InputError(uri, f"cannot be reached: {error}", fix)


def damaged(uri: str, error: Exception) -> InputError:
    """What arrived is not what was sent."""
    reason = str(error).partition("\n")[0].rstrip(":")
    return InputError(uri, f"a file arrived damaged: {reason}", "Run the step again")
