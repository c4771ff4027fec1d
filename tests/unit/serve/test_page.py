"""The page as it is sent: its policy fits it, and it needs nothing from elsewhere."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from components.serve.application import page_response
from tests.pages import Page


@pytest.fixture(scope="module")
def response():
    return page_response()


@pytest.fixture(scope="module")
def html(response):
    return response.body.decode()


def test_the_policy_allows_its_own_style_and_script_and_its_own_server(response, html):
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["content-security-policy"].split("; ")
    )
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert policy.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert policy == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_every_address_is_relative_or_data(html):
    addresses = [
        value
        for _, attributes in Page(html).tags
        for name, value in attributes.items()
        if name in {"src", "href"}
    ]
    assert addresses
    assert [each for each in addresses if not re.match(r"data:|[\w.]+$", each)] == []
    assert re.findall(r"(?:fetch\w*|url)\([`'\"](?:/|\w+:)", html) == []


def test_no_attribute_holds_style_or_script(html):
    names = {name for _, attributes in Page(html).tags for name in attributes}
    assert [name for name in names if name == "style" or name.startswith("on")] == []
