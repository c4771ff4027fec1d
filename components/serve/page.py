"""The page at `/`, where a person can try the model."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from starlette.responses import HTMLResponse

_ELEMENT = re.compile(r"<(style|script)\b[^>]*>(.*?)</\1>", re.DOTALL)


def page_response() -> HTMLResponse:
    """Build the page, with headers that allow only its own style, script and server.

    A text that got into the page as markup would therefore have no effect.

    Source: https://www.w3.org/TR/CSP3/#match-element-to-source-list
    """
    html = files("components.serve").joinpath("page.html").read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": _policy(html),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(html, headers=headers)


def _policy(html: str) -> str:
    hashes = {tag: f"'sha256-{_digest(content)}'" for tag, content in _ELEMENT.findall(html)}
    return (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _digest(content: str) -> str:
    return b64encode(sha256(content.encode()).digest()).decode()
