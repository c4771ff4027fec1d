"""Requests to a predictor by a test."""

import httpx

V1 = "/v1/models/emotion:predict"


def ask(url, texts, timeout=60):
    """Ask a predictor for the labels of some texts; returns its answer."""
    body = {"instances": texts}
    return httpx.post(url + V1, json=body, timeout=timeout, trust_env=False)
