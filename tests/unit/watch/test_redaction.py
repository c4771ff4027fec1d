"""Presidio itself, without a language model and without a network."""

import socket
import sys

import pytest

from components.errors import InputError
from components.watch.redaction import redactor


@pytest.fixture(scope="module")
def redacted():
    with pytest.MonkeyPatch.context() as patch:

        def no_network(*_, **__):
            raise AssertionError("redaction needs no network")

        patch.setattr(socket, "getaddrinfo", no_network)
        patch.setattr(socket.socket, "connect", no_network)
        yield redactor()


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Write to jane@nowhere.invalid today.", "Write to <EMAIL_ADDRESS> today."),
        ("Call (212) 555-0123!", "Call <PHONE_NUMBER>!"),
        ("My card 4111 1111 1111 1111 is gone.", "My card <CREDIT_CARD> is gone."),
        ("It went to DE89370400440532013000.", "It went to <IBAN_CODE>."),
        ("I can not believe it!", "I can not believe it!"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(redacted, text, without):
    assert redacted(text) == without


def test_without_presidio_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_anonymizer", None)
    with pytest.raises(InputError, match="needs Presidio, which is not installed"):
        redactor()
