"""What is written in one turn of the event loop is sent at once."""

import asyncio

from components.serve.writes import CoalescingTransport


class Transport:
    """What was sent, in pieces; a real one is in tests/serve/test_http.py."""

    def __init__(self):
        self.sent, self.closed = [], False

    def write(self, data):
        self.sent.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


def after(act):
    """The transport after something was done with it, and a turn of the loop."""

    async def run():
        transport = Transport()
        coalescing = CoalescingTransport(transport, asyncio.get_running_loop())
        await act(coalescing)
        await asyncio.sleep(0)
        return transport

    return asyncio.run(run())


def test_head_and_body_are_one_piece():
    async def act(transport):
        transport.write(b"head")
        transport.write(b"body")

    assert after(act).sent == [b"headbody"]


def test_turns_are_pieces_of_their_own():
    async def act(transport):
        for each in (b"1", b"2"):
            transport.write(each)
            await asyncio.sleep(0)

    assert after(act).sent == [b"1", b"2"]


def test_what_is_written_before_the_end_is_sent_before_it():
    async def act(transport):
        transport.write(b"last")
        transport.close()
        assert transport.is_closing()

    transport = after(act)
    assert (transport.sent, transport.closed) == ([b"last"], True)


def test_nothing_is_sent_after_an_end_from_elsewhere():
    async def act(transport):
        transport.write(b"late")
        transport._transport.close()

    assert after(act).sent == []
