"""A TCP proxy in front of a real server that cuts connections and flips bits on demand.

It cannot show slow or lossy networks.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

UP, DOWN = "up", "down"
BLOCK_BYTES = 2**16


@dataclass
class Fault:
    """A fault of the network.

    Args:
        way: `UP` to the server or `DOWN` to the client.
        after: Bytes that pass in that direction, on all connections together, before each fault.
        flip: True to flip a bit, False to cut the connection.
        times: Number of faults.
        then: Called after each fault.
    """

    way: str
    after: int
    flip: bool = False
    times: int = 1
    then: Callable[[], None] = lambda: None
    passed: int = 0
    happened: int = 0

    def strikes(self, way: str, length: int) -> bool:
        """Tell if it happens in the next bytes of a connection, and count it."""
        if way != self.way or self.happened == self.times:
            return False
        self.passed += length
        if self.passed < self.after:
            return False
        self.passed, self.happened = 0, self.happened + 1
        return True


class FaultProxy:
    """A proxy that passes on everything between its port and a server's, except for faults."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._fault = Fault(UP, 0, times=0)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def expect(self, fault: Fault) -> Fault:
        """Set the fault, instead of the one before."""
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
    """Run a proxy in front of a server on this machine, in a thread."""
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
