"""SIGTERM during a training: it takes effect once a checkpoint is written."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class DeferredSigterm:
    """Defers SIGTERM to the end of a `with` block, or until `obey` is called.

    SIGTERM then has the effect that it has outside the block: a step exits with status 143 after
    `start_logging`, and a plain process is killed, which Kubernetes reports as 143 too. Outside
    the main thread, where Python handles no signals, the block changes nothing.
    """

    received = False
    """True while a SIGTERM is deferred."""

    def __enter__(self) -> Self:
        self._is_active = threading.current_thread() is threading.main_thread()
        if self._is_active:
            self._handler = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_active:
            return
        signal.signal(signal.SIGTERM, self._handler)
        if self.received and error is None:
            signal.raise_signal(signal.SIGTERM)

    def obey(self) -> None:
        """Let SIGTERM take effect now."""
        self.received = False
        signal.signal(signal.SIGTERM, self._handler)
        signal.raise_signal(signal.SIGTERM)

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.received = True
