"""The chat client, asking a real HTTP server."""

import asyncio
from collections import Counter

import httpx
import pytest
from openai.types.chat import ChatCompletion

from components.errors import InputError, WorkError
from components.generate.engines import LlmEndpoint
from components.generate.llm import ChatClient, in_order
from components.generate.request import Request
from components.processes import free_port
from tests.fakes.openai_server import Reply, fake_openai


def requests(count):
    """Requests that can be told apart by their seeds."""
    for number in range(count):
        yield Request(
            label="joy",
            turn=number,
            attributes={},
            messages=[{"role": "user", "content": "Write."}],
            schema={"type": "array"},
            max_tokens=50,
            temperature=0.5,
            seed=number,
        )


def ask(base_url, asked, concurrency=4, api_key=""):
    async def collect():
        async with ChatClient(LlmEndpoint(base_url, "small"), api_key, concurrency) as client:
            return [answer async for answer in in_order(asked, client.ask, 2 * concurrency)]

    return asyncio.run(collect())


def echo(body):
    return Reply(f"text {body['seed']}")


def seeds(bodies):
    return [body["seed"] for body in bodies]


def test_the_fake_answers_in_the_shape_of_the_protocol():
    with fake_openai(echo) as fake:
        body = {"model": "small", "messages": [], "seed": 1}
        answer = httpx.post(f"{fake.base_url}/chat/completions", json=body, trust_env=False)
    completion = ChatCompletion.model_validate_json(answer.content, strict=True)
    assert completion.choices[0].message.content == "text 1"


def test_an_answer_holds_what_was_said_and_what_it_cost():
    with fake_openai(lambda _: Reply("Hm.", seconds=0.05, finish_reason="length")) as fake:
        (answer,) = ask(fake.base_url, requests(1))
    assert (answer.completion.raw, answer.completion.finish_reason) == ("Hm.", "length")
    assert (answer.completion.prompt_tokens, answer.completion.completion_tokens) == (7, 5)
    assert answer.completion.seconds >= 0.05


def test_the_server_is_asked_what_the_request_says():
    with fake_openai(echo) as fake:
        ask(fake.base_url, requests(1))
    (body,) = fake.received
    assert body.pop("response_format")["json_schema"]["schema"] == {"type": "array"}
    assert body == {
        "model": "small",
        "messages": [{"role": "user", "content": "Write."}],
        "max_tokens": 50,
        "temperature": 0.5,
        "seed": 0,
    }


def test_answers_come_in_the_order_of_the_requests():
    def later_is_faster(body):
        return Reply(f"text {body['seed']}", seconds=0.05 * (4 - body["seed"] % 4))

    with fake_openai(later_is_faster) as fake:
        answers = ask(fake.base_url, requests(12))
    assert [answer.completion.raw for answer in answers] == [f"text {n}" for n in range(12)]
    assert [answer.request.seed for answer in answers] == list(range(12))
    assert seeds(fake.finished) != sorted(seeds(fake.finished))


@pytest.mark.parametrize("concurrency", [1, 3])
def test_the_server_is_asked_as_much_at_once_as_allowed(concurrency):
    with fake_openai(lambda _: Reply("text", seconds=0.05)) as fake:
        ask(fake.base_url, requests(9), concurrency)
    assert fake.most_open == concurrency


def test_requests_are_drawn_as_answers_are_taken():
    drawn, most_ahead = 0, 0

    def counted():
        nonlocal drawn
        for request in requests(20):
            drawn += 1
            yield request

    async def collect(base_url):
        nonlocal most_ahead
        taken = 0
        async with ChatClient(LlmEndpoint(base_url, "small"), "", 3) as client:
            async for _ in in_order(counted(), client.ask, 6):
                most_ahead = max(most_ahead, drawn - taken)
                taken += 1
        return taken

    with fake_openai(echo) as fake:
        assert asyncio.run(collect(fake.base_url)) == 20
    assert most_ahead == 6


def test_a_server_without_schemas_is_asked_in_plain_text():
    def refuse_schema(body):
        if "response_format" in body:
            return Reply("response_format is not supported", status=400, seconds=0.05)
        return echo(body)

    with fake_openai(refuse_schema) as fake:
        answers = ask(fake.base_url, requests(12))
    assert [answer.completion.raw for answer in answers] == [f"text {n}" for n in range(12)]
    with_schema = ["response_format" in body for body in fake.received]
    assert 1 <= sum(with_schema) <= 4
    assert not any(with_schema[4:])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(status):
    tries = Counter()

    def fail_first(body):
        tries[body["seed"]] += 1
        return Reply("later", status=status) if tries[body["seed"]] == 1 else echo(body)

    with fake_openai(fail_first) as fake:
        answers = ask(fake.base_url, requests(6))
    assert [answer.completion.raw for answer in answers] == [f"text {n}" for n in range(6)]
    assert set(tries.values()) == {2}


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_lasting_failure_is_refused_with_the_words_of_the_server(status):
    broken = Reply("out of order", status=status)
    with fake_openai(lambda _: broken) as fake, pytest.raises(WorkError) as refusal:
        ask(fake.base_url, requests(6))
    assert fake.base_url in refusal.value.thing
    assert "refused the request" in refusal.value.rule
    assert "out of order" in refusal.value.rule


def test_the_key_is_shown_to_the_server():
    with fake_openai(echo, api_key="sesame") as fake:
        assert len(ask(fake.base_url, requests(1), api_key="sesame")) == 1
        for wrong in ("", "semolina"):
            with pytest.raises(WorkError, match=r"wrong key.*its key"):
                ask(fake.base_url, requests(6), api_key=wrong)


def test_a_server_that_is_not_there_is_refused():
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(WorkError, match="cannot be reached") as refusal:
        ask(url, requests(2))
    assert url in refusal.value.thing


def test_a_proxy_of_socks_is_refused_by_the_name_of_its_variable(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@proxy:1080")
    with pytest.raises(InputError, match=r"^ALL_PROXY socks5://proxy:1080: is not one of HTTP"):
        ask("http://127.0.0.1:9", requests(1))
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(WorkError, match="cannot be reached"):
        ask("http://127.0.0.1:9", requests(1))


def test_a_server_on_this_machine_is_asked_past_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with fake_openai(echo) as fake:
        assert len(ask(fake.base_url, requests(1))) == 1
