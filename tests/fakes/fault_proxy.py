"""A TCP proxy in front of a real server that cuts connections and flips bytes on demand."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

UP, DOWN = "up", "down"
BLOCK_BYTES = 2**16


@dataclass
class Fault:
    """What goes wrong on the way.

    Args:
        way: `UP` to the server or `DOWN` to the client.
        after: Bytes that pass that way, on all connections together, before each fault.
        flip: Whether one bit is flipped; otherwise the connection is cut.
        times: How often it happens.
        then: Called just after it has happened.
    """

    way: str
    after: int
    flip: bool = False
    times: int = 1
    then: Callable[[], None] = lambda: None
    passed: int = 0
    happened: int = 0

    def strikes(self, way: str, length: int) -> bool:
        """Whether it happens in the next bytes of a connection."""
        if way != self.way or self.happened == self.times:
            return False
        self.passed += length
        if self.passed < self.after:
            return False
        self.passed, self.happened = 0, self.happened + 1
        return True


class FaultProxy:
    """Passes everything on between its own port and a server's, but for the faults."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._fault = Fault(UP, 0, times=0)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def expect(self, fault: Fault) -> Fault:
        """Have a fault happen, instead of the one before."""
        self._fault = fault
        return fault

    async def serve(self, ready: threading.Event, stopped: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stopped.wait()
        server.close()

    async def _connected(self, reader, writer) -> None:
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(
            self._pass_on(UP, reader, away, writer), self._pass_on(DOWN, there, writer, away)
        )

    async def _pass_on(self, way, source, target, back) -> None:
        with suppress(ConnectionError):
            while block := await source.read(BLOCK_BYTES):
                if self._fault.strikes(way, len(block)):
                    block = self._struck(block, target, back)
                target.write(block)
                await target.drain()
        target.close()

    def _struck(self, block: bytes, target, back) -> bytes:
        if self._fault.flip:
            block = block[:-1] + bytes([block[-1] ^ 1])
        else:
            target.transport.abort()
            back.transport.abort()
        self._fault.then()
        return block


@contextmanager
def fault_proxy(server_port: int) -> Iterator[FaultProxy]:
    """A proxy in front of a server of this machine, in a thread of its own."""
    proxy = FaultProxy(server_port)
    loop = asyncio.new_event_loop()
    ready, stopped = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(proxy.serve(ready, stopped),))
    thread.start()
    ready.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
