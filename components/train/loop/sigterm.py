"""SIGTERM, held back until it can be obeyed without losing work."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class DeferredSigterm:
    """Holds a SIGTERM back for the length of a block, or until `obey` is called.

    What SIGTERM does then is what it would have done without the block: `start_logging` makes a
    step exit with status 143, and a plain process is ended, which Kubernetes reports as 143 too.
    Outside the main thread, where Python takes no signals, the block changes nothing.
    """

    received = False
    """Whether a SIGTERM is being held back."""

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
        """Let SIGTERM do now what it does outside the block."""
        self.received = False
        signal.signal(signal.SIGTERM, self._handler)
        signal.raise_signal(signal.SIGTERM)

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.received = True
