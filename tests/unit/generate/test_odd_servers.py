"""Servers that speak the OpenAI protocol with an accent of their own."""

import json
from collections import Counter

import pytest

from components.errors import WorkError
from components.generate.dialect import Dialect
from components.generate.request import Request
from tests.fakes.openai_server import Reply, fake_openai
from tests.unit.generate.test_llm import ask, echo, requests

EXTRA = '{{"detail": [{{"loc": ["body", "{}"], "msg": "Extra inputs are not permitted"}}]}}'
SYSTEM = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write."}]


def texts(answers):
    return [answer.completion.raw for answer in answers]


def fine(_):
    return Reply("a text")


@pytest.mark.parametrize(
    ("absent", "status", "words", "instead"),
    [
        (
            "max_tokens",
            400,
            "Unsupported parameter: 'max_tokens'. Use another.",
            "max_completion_tokens",
        ),
        ("temperature", 400, "Unsupported value: 'temperature' does not support 0.5.", None),
        ("seed", 422, EXTRA.format("seed"), None),
        ("response_format", 422, EXTRA.format("response_format"), None),
        ("response_format", 400, "Invalid schema: root must be an object", None),
        ("response_format", 500, "failed to parse the grammar", None),
        ("response_format", 400, "bad request", None),
    ],
)
def test_what_a_server_refuses_is_left_out_from_then_on(absent, status, words, instead, caplog):
    def script(body):
        return Reply(words, status=status) if absent in body else fine(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(12), concurrency=2)
    assert texts(answers) == ["a text"] * 12
    assert not any(absent in body for body in fake.received[8:])
    assert instead is None or all(instead in body for body in fake.received[8:])
    assert [record.message for record in caplog.records if "another way" in record.message]
    kept = {"max_tokens", "temperature", "seed", "response_format"} - {absent}
    assert all(kept <= set(body) for body in fake.received)


def test_a_server_may_refuse_one_thing_after_the_other():
    def script(body):
        for name in ("max_tokens", "temperature", "seed", "response_format"):
            if name in body:
                return Reply(f"{name} is not supported", status=400)
        return fine(body)

    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, requests(4), concurrency=1)) == ["a text"] * 4
    assert len(fake.received) == 8


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("failures", [1, 3, 4])
def test_failures_that_pass_change_nothing_in_the_way_of_asking(failures, concurrency):
    failed = Counter()

    def script(body):
        failed[body["seed"]] += 1
        is_broken = body["seed"] < concurrency and failed[body["seed"]] <= failures
        return Reply("Internal Server Error", status=500) if is_broken else echo(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(12), concurrency)
    assert texts(answers) == [f"text {n}" for n in range(12)]
    assert all("response_format" in body for body in fake.received[-8:])


def test_one_refusal_that_names_nothing_is_no_reason_to_leave_something_out():
    seen = Counter()

    def script(body):
        seen["requests"] += 1
        return Reply("bad request", status=400) if seen["requests"] == 1 else echo(body)

    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, requests(4), concurrency=1)) == [
            f"text {n}" for n in range(4)
        ]
    assert ["response_format" in body for body in fake.received] == [True, False, *4 * [True]]


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (500, 3)])
def test_what_is_refused_again_and_again_is_left_out(status, tries):
    def script(body):
        return Reply("no luck", status=status) if "response_format" in body else echo(body)

    with fake_openai(script) as fake:
        assert len(ask(fake.base_url, requests(3), concurrency=1)) == 3
    with_schema = ["response_format" in body for body in fake.received]
    assert with_schema == [*tries * [True], False, *tries * [True], False, False]


@pytest.mark.parametrize(
    "words",
    ["System role not supported", "Invalid value: 'system'. Supported values are: 'user', ..."],
)
def test_a_template_without_a_system_role_gets_the_rules_in_the_first_message(words):
    def script(body):
        if body["messages"][0]["role"] == "system":
            return Reply(words, status=400)
        return Reply(body["messages"][0]["content"])

    (plain,) = requests(1)
    request = Request(**{**vars(plain), "messages": SYSTEM})
    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, [request])) == ["Be brief.\n\nWrite."]


@pytest.mark.parametrize("status", [400, 403, 413, 451])
def test_a_refusal_of_one_request_keeps_the_schema_for_the_others(status):
    def script(body):
        return Reply("no luck", status=status) if body["seed"] == 5 else echo(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(7), concurrency=1)
    assert texts(answers) == [*(f"text {n}" for n in range(5)), "", "text 6"]
    assert answers[5].completion.finish_reason == "refused_request"
    assert all("response_format" in body for body in fake.received)


def test_refusals_without_end_end_the_run_with_the_words_of_the_server():
    def script(body):
        return Reply("no luck", status=400) if body["seed"] > 2 else echo(body)

    with fake_openai(script) as fake, pytest.raises(WorkError, match=r"400, .*no luck"):
        ask(fake.base_url, requests(12), concurrency=1)


def test_a_prompt_that_is_too_long_changes_nothing_for_the_others():
    words = "maximum context length is 1024 tokens, reduce the messages or max_tokens"

    def script(body):
        return Reply(words, status=400) if body["seed"] == 2 else echo(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(4), concurrency=1)
    assert texts(answers) == ["text 0", "text 1", "", "text 3"]
    assert all("max_tokens" in body for body in fake.received)


def test_a_server_without_schemas_may_refuse_something_else_as_well():
    def script(body):
        if "response_format" in body:
            return Reply("bad request", status=400)
        return Reply("temperature unsupported", status=400) if "temperature" in body else fine(body)

    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, requests(4), concurrency=1)) == ["a text"] * 4


@pytest.mark.parametrize(
    "words",
    [
        *("content_filter", "violates our content policy", "flagged by our usage policy"),
        *("PROHIBITED_CONTENT", "DataInspectionFailed", "The prompt violates a policy"),
    ],
)
def test_a_prompt_that_is_filtered_gives_an_empty_answer(words):
    def script(body):
        return Reply(words, status=400) if body["seed"] == 1 else echo(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(3))
    assert texts(answers) == ["text 0", "", "text 2"]
    assert answers[1].completion.finish_reason == "content_filter"
    assert all("response_format" in body for body in fake.received)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(choices=[]),
        lambda body: body.update(choices=None),
        lambda body: {"error": {"message": "upstream"}},  # noqa: ARG005
        lambda body: body["choices"][0].pop("message") and None,
    ],
)
def test_one_answer_without_a_message_is_asked_for_again(change):
    tries = Counter()

    def script(body):
        tries[body["seed"]] += 1
        is_odd = body["seed"] == 2 and tries[2] == 1
        return (
            Reply("text 2", change=change if is_odd else None) if body["seed"] == 2 else echo(body)
        )

    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, requests(4))) == [f"text {n}" for n in range(4)]
    assert tries[2] == 2


def test_a_prompt_that_never_gets_a_message_counts_as_empty_but_not_if_none_does():
    def script(body):
        empty = Reply("", change=lambda answer: answer.update(choices=[]))
        return empty if body["seed"] == 2 else echo(body)

    with fake_openai(script) as fake:
        answers = ask(fake.base_url, requests(4), concurrency=1)
        assert answers[2].completion.finish_reason == "unusable"

    def mute(_):
        return Reply("", change=lambda answer: answer.update(choices=[]))

    with fake_openai(mute) as fake, pytest.raises(WorkError, match="does not speak the OpenAI"):
        ask(fake.base_url, requests(4), concurrency=1)


@pytest.mark.parametrize(
    ("change", "raw", "finish_reason"),
    [
        (
            lambda message: message.update(
                content=[
                    {"type": "thinking", "text": "x"},
                    {"type": "text", "text": "a"},
                    {"text": "b"},
                ]
            ),
            "ab",
            "stop",
        ),
        (lambda message: message.update(content={"type": "text", "text": "a"}), "a", "stop"),
        (lambda message: message.update(content=["a", "b"]), '["a", "b"]', "stop"),
        (lambda message: message.update(content=[]), "", "stop"),
        (lambda message: message.update(content=None, refusal="I will not."), "", "refusal"),
        (lambda message: message.update(content=None, reasoning_content='["a"]'), "", "thoughts"),
        (lambda message: message.update(content=None), "", "stop"),
    ],
)
def test_messages_of_all_shapes_are_read(change, raw, finish_reason):
    def changed(answer):
        change(answer["choices"][0]["message"])
        answer["usage"].pop("completion_tokens")

    with fake_openai(lambda _: Reply("", change=changed)) as fake:
        (answer,) = ask(fake.base_url, requests(1))
    completion = answer.completion
    assert (completion.raw, completion.finish_reason) == (raw, finish_reason)
    assert (completion.prompt_tokens, completion.completion_tokens) == (7, 0)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_for_a_while_is_waited_for(status):
    seen = Counter()

    def script(body):
        seen["requests"] += 1
        return Reply("Loading model", status=status) if seen["requests"] <= 8 else echo(body)

    with fake_openai(script) as fake:
        assert texts(ask(fake.base_url, requests(1))) == ["text 0"]


def test_an_account_without_money_is_not_waited_for():
    words = "You exceeded your current quota (insufficient_quota)"
    with (
        fake_openai(lambda _: Reply(words, status=429)) as fake,
        pytest.raises(WorkError, match=r"429, .*exceeded your current quota"),
    ):
        ask(fake.base_url, requests(1))


def test_a_login_page_is_no_answer():
    with (
        fake_openai(lambda _: Reply("<html>Log in</html>", is_page=True)) as fake,
        pytest.raises(WorkError, match="does not speak the OpenAI protocol"),
    ):
        ask(fake.base_url, requests(4))


def test_a_change_of_one_parameter_leaves_the_others():
    (request,) = requests(1)
    whole = Dialect().arguments(request, "small")
    learnt = Dialect().after(json.dumps({"error": "seed: unknown; temperature is fine"}))
    assert learnt == Dialect(seed=False)
    assert set(whole) - set(learnt.arguments(request, "small")) == {"seed"}
    assert Dialect().after("out of order") is None
    assert Dialect(max_tokens="max_completion_tokens").after("max_tokens") == Dialect(max_tokens="")
