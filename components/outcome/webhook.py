"""Sending JSON to a webhook whose URL must stay secret."""

from collections.abc import Mapping
from typing import Any

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from components.errors import InputError, WorkError

_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 4


def send(url: str, content: Mapping[str, Any], longest_pause_seconds: float) -> None:
    """POST JSON, and try again while the receiver cannot be reached or is overloaded.

    Args:
        url: The whole secret URL; no error and no log line names it.
        content: The body; receivers that speak Slack's protocol show its `text`.
        longest_pause_seconds: Longest pause between two attempts.

    Raises:
        InputError: If the URL is not one, or the receiver refuses the content.
        WorkError: If the receiver stays unavailable.

    Source: https://api.slack.com/messaging/webhooks
    """
    again = Retrying(
        retry=retry_if_exception_type(WorkError),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(0.5, longest_pause_seconds),
        reraise=True,
    )
    again(_post, url, content)


def _post(url: str, content: Mapping[str, Any]) -> None:
    try:
        # Nobody needs the answer's body, so it is not read.
        with httpx.stream("POST", url, json=content, timeout=_TIMEOUT_SECONDS) as answer:
            status = answer.status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        rule = "is not the address of an HTTP server"
        raise InputError("webhook", rule, "Correct WEBHOOK_URL") from None
    except httpx.TransportError as error:
        rule = f"cannot be reached ({type(error).__name__})"
        raise WorkError("webhook", rule, "Check WEBHOOK_URL and the network") from None
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        raise WorkError("webhook", f"answered {status}", "Look at the receiver")
    if not httpx.codes.is_success(status):
        raise InputError("webhook", f"answered {status}", "Check WEBHOOK_URL and its receiver")
