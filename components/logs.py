"""Logging of a step when it runs as a program."""

import logging
import signal
import sys


def start_logging() -> None:
    """Send progress lines to standard error, and silence chatty libraries.

    Replaces the handlers of KFP's executor, which prefixes every line. SIGTERM ends the step
    like an error, so that the servers it started are stopped as well.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    for library in ("httpx", "httpx2", "kserve", "datasets"):
        logging.getLogger(library).setLevel(logging.WARNING)
