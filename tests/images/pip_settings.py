"""Passes this machine's pip settings to a build, without a trace in the image."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_SETTING = re.compile(r"(?:global|:env:)\.(?P<name>[a-z-]+)='(?P<value>.*)'")
_PASSED_ON = ("index-url", "timeout")


@contextmanager
def build_variables(folder: Path) -> Iterator[list[str]]:
    """Variables of `make images` from pip's settings here; a folder of wheels is served.

    Args:
        folder: Takes the file with pip's settings for the build.
    """
    settings = _settings()
    lines = [f"{name} = {settings[name]}" for name in _PASSED_ON if name in settings]
    options, variables = ["--network=host", f"--secret=id=pip,src={folder}/pip.conf"], []
    with ExitStack() as stack:
        if certificates := settings.get("cert"):
            lines.append("cert = /run/secrets/certificates")
            options.append(f"--secret=id=certificates,src={certificates}")
        if wheels := settings.get("find-links"):
            index = stack.enter_context(_served(Path(wheels)))
            lines.append(f"find-links = {index}")
            # Torch is among them; an index at a changing port would invalidate the build cache.
            variables.append("TORCH_INDEX=file:///nowhere")
        (folder / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
        yield [f"BUILD_OPTIONS={' '.join(options)}", *variables]


def _settings() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {
        each["name"]: each["value"] for each in map(_SETTING.fullmatch, listed.splitlines()) if each
    }


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
