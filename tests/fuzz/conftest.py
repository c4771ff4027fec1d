"""The predictor that the campaigns ask, and the table of what came of them."""

import re
import threading
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.deploy.local import running_predictor
from components.processes import free_port
from tests.fuzz.campaign import Target

# Large enough for all that is sent at a time: a refusal for overload would be wrong.
OPTIONS = [
    *("--header-seconds", "3", "--body-seconds", "3", "--request-seconds", "100"),
    *("--queue-texts", "20000", "--log-requests", "--log-texts"),
]


@pytest.fixture(scope="session")
def target(model_folder, tmp_path_factory):
    log, port = tmp_path_factory.mktemp("fuzz") / "predictor.log", free_port()
    with collector() as (sink, events):
        options = [*OPTIONS, "--grpc-port", str(port), "--payload-url", sink]
        with running_predictor(model_folder, "emotion", log, options=options) as url:
            yield Target(url, f"127.0.0.1:{port}", log, events)


def pytest_terminal_summary(terminalreporter):
    """Say what came of each generator's inputs, and how many examples each property had."""
    if not terminalreporter.config.option.fuzz:
        return
    terminalreporter.section("inputs and what came of them")
    for report in terminalreporter.getreports("passed"):
        rows = [value for name, value in report.user_properties if name == "fuzz"]
        examples = re.findall(r"(\d+) passing", getattr(report, "_hypothesis_stats", ""))
        if total := sum(map(int, examples)):
            rows.append((report.nodeid.rpartition("/")[2], {"as they must be": total}))
        for name, outcomes in rows:
            said = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items())
            terminalreporter.write_line(f"{name}: {sum(outcomes.values()):,}: {said}")


@contextmanager
def collector():
    """A collector that keeps the headers and bodies of events."""
    events = deque(maxlen=10_000)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            size = int(self.headers["content-length"])
            events.append((dict(self.headers.items()), self.rfile.read(size)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", events
        server.shutdown()
