"""Sending JSON to a webhook whose URL must not be seen."""

from collections.abc import Mapping
from typing import Any

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from components.errors import InputError

_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 4
_LONGEST_PAUSE_SECONDS = 5.0


class _UnavailableError(InputError):
    """The receiver may take it later."""


def send(url: str, content: Mapping[str, Any]) -> None:
    """POST JSON; tries again while the receiver cannot be reached or is overloaded.

    Args:
        url: The whole secret URL; no error and no log line names it.
        content: The body; receivers that speak Slack's protocol show its `text`.

    Raises:
        InputError: If the receiver did not take it.

    Source: https://api.slack.com/messaging/webhooks
    """
    again = Retrying(
        retry=retry_if_exception_type(_UnavailableError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(0.5, _LONGEST_PAUSE_SECONDS),
        reraise=True,
    )
    again(_post, url, content)


def _post(url: str, content: Mapping[str, Any]) -> None:
    try:
        # The answer's body is nobody's concern, so it is not read.
        with httpx.stream("POST", url, json=content, timeout=_TIMEOUT_SECONDS) as answer:
            status = answer.status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        rule = "is not the address of an HTTP server"
        raise InputError("webhook", rule, "Correct WEBHOOK_URL") from None
    except httpx.TransportError as error:
        rule = f"cannot be reached ({type(error).__name__})"
        raise _UnavailableError("webhook", rule, "Check WEBHOOK_URL and the network") from None
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        raise _UnavailableError("webhook", f"answered {status}", "Look at the receiver")
    if not httpx.codes.is_success(status):
        raise InputError("webhook", f"answered {status}", "Check WEBHOOK_URL and its receiver")
