"""Requests as CloudEvents: in binary form they are answered as such, in other forms refused.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from components.serve.answers import Refusal


def require_no_envelope(headers: Mapping[str, str]) -> None:
    """Refuse a request whose body holds an event's attributes, too.

    Args:
        headers: Values by lower-case name.

    Raises:
        Refusal: With status 415.
    """
    if headers.get("content-type", "").strip().lower().startswith("application/cloudevents"):
        rule = "a CloudEvent must be in binary form: its attributes in `ce-` headers, its data "
        raise Refusal(415, f"{rule}alone in the body (Content-Type)")


def is_event(headers: Mapping[str, str]) -> bool:
    """Tell if a request with these headers, values by lower-case name, is an event."""
    return "ce-specversion" in headers


def event_headers(event_id: str, model_name: str) -> list[tuple[bytes, bytes]]:
    """Build the headers that make an answer an event, as KServe's predictors do.

    Args:
        event_id: Identifier of the answer.
        model_name: Name of the model.
    """
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "type": "io.kserve.inference.response",
        "source": f"io.kserve.inference.{model_name}",
        "time": datetime.now(UTC).isoformat(),
    }
    return [(f"ce-{name}".encode(), value.encode()) for name, value in attributes.items()]
