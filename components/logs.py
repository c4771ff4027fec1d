"""Logging of a step when it runs as a program."""

import logging
import sys


def start_logging() -> None:
    """Send progress lines to standard error, and silence chatty libraries.

    Replaces the handlers of KFP's executor, which prefixes every line.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    for library in ("httpx", "httpx2", "kserve", "datasets"):
        logging.getLogger(library).setLevel(logging.WARNING)
