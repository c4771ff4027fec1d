"""Requests to a predictor by a test."""

import time
from collections.abc import Callable

import httpx

V1 = "/v1/models/emotion:predict"


def ask(url, texts, timeout=60):
    """Ask a predictor for the labels of some texts; returns its answer."""
    body = {"instances": texts}
    return httpx.post(url + V1, json=body, timeout=timeout, trust_env=False)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Return once a condition holds; a machine that is busy with other things may be slow."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition does not hold after {seconds:g} s"
        time.sleep(0.02)
