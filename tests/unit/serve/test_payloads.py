"""The URL of the collector, and events that it cannot get."""

import asyncio
from types import SimpleNamespace

import pytest

from components.errors import InputError
from components.serve.exchanges import Exchange, Message
from components.serve.payloads import payload_logger
from components.serve.settings import ServeSettings

NO_URL = "http://host:port/"


def test_a_url_that_nothing_can_be_posted_to_is_refused_at_the_start(tmp_path):
    assert ServeSettings(tmp_path, payload_url="http://host:80/").payload_url
    with pytest.raises(InputError, match=f"payload_url='{NO_URL}': is not the URL of an HTTP"):
        ServeSettings(tmp_path, payload_url=NO_URL)


def test_a_collector_and_a_folder_are_one_too_many(tmp_path):
    with pytest.raises(InputError, match="payload_folder='log': has the place of payload_url"):
        ServeSettings(tmp_path, payload_url="http://host/", payload_folder="log")


def test_an_event_that_cannot_be_posted_is_counted_and_stops_no_later_one():
    refused = []
    predictor = SimpleNamespace(
        name="emotion",
        settings=SimpleNamespace(payload_url=NO_URL, payload_folder=""),
        metrics=SimpleNamespace(refused=refused.append),
    )

    async def collect_two():
        message = Message(b"{}", "application/json")
        async with payload_logger(predictor) as collect, asyncio.timeout(30):
            for name in ("1", "2"):
                collect(Exchange(name, message, message))
            while len(refused) < 4:
                await asyncio.sleep(0.01)

    asyncio.run(collect_two())
    assert refused == ["payload_url"] * 4
