"""A recorded ledger takes the place of an LLM: the same path, and nothing is paid again."""

import json
from collections import Counter

import pytest

from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import load_task
from components.errors import InputError, WorkError
from components.generate.run import generate
from components.generate.settings import GenerateSettings
from components.generate.style import load_style
from tests.fakes.openai_server import Reply, fake_openai

NAMES = load_task("emotion").names
LOOSE = {"near_duplicate_similarity": 1.0, "language": "", "samples_per_label": 3}


def two_sentences(body):
    asked = body["messages"][-1]["content"]
    name = next(each for each in NAMES if each in asked)
    return Reply(json.dumps([f"{name} in answer {body['seed']}, sentence {n}" for n in range(2)]))


def lines_of(folder):
    return [json.loads(line) for line in (folder / LEDGER).read_text("utf-8").splitlines()]


def texts_of(folder):
    return [row["text"] for row in json.loads((folder / SENTENCES).read_text("utf-8"))]


@pytest.fixture
def asked(tmp_path):
    """Folder of a run that asked a server."""
    folder = tmp_path / "asked"
    with fake_openai(two_sentences) as fake:
        settings = GenerateSettings(models=[f"{fake.base_url}#small"], **LOOSE)
        generate(settings, folder)
    return folder


def replay(recorded, output, **settings):
    settings = {**LOOSE, **settings}
    return generate(GenerateSettings(models=[f"recorded:{recorded}"], **settings), output)


@pytest.mark.parametrize("file", [LEDGER, ""])
def test_a_ledger_or_its_folder_is_replayed_without_a_server(asked, tmp_path, file):
    assert replay(asked / file, tmp_path / "again") == dict.fromkeys(NAMES, 3)
    assert texts_of(tmp_path / "again") == texts_of(asked)


def test_where_nobody_is_asked_no_minutes_of_asking_pass(asked, tmp_path):
    assert replay(asked, tmp_path / "again", minutes_budget=1e-9) == dict.fromkeys(NAMES, 3)


def test_an_archive_of_answers_is_replayed(tmp_path):
    archive = tmp_path / "archive"
    with fake_openai(two_sentences) as fake:
        models = [f"{fake.base_url}#small"]
        generate(GenerateSettings(models=models, ledger=str(archive), **LOOSE), tmp_path / "asked")
    assert replay(archive, tmp_path / "again") == dict.fromkeys(NAMES, 3)
    assert texts_of(tmp_path / "again") == texts_of(tmp_path / "asked")


def test_what_is_replayed_says_so_and_costs_nothing(asked, tmp_path):
    replay(asked, tmp_path / "again")
    answers = [line for line in lines_of(tmp_path / "again") if line["kind"] == "answer"]
    assert {line["model"] for line in answers} == {f"recorded:{asked}"}
    assert all(line["recorded_from"].endswith("#small") for line in answers)
    assert {line["prompt_tokens"] + line["completion_tokens"] for line in answers} == {0}
    replay(tmp_path / "again", tmp_path / "third")
    assert {line["recorded_from"] for line in lines_of(tmp_path / "third")} == {
        line["recorded_from"] for line in answers
    }


def test_changed_curation_judges_the_recorded_answers_anew(asked, tmp_path):
    strict = {"near_duplicate_similarity": 0.3, "allow_partial": True}
    assert max(replay(asked, tmp_path / "again", **strict).values()) < 3


def test_recorded_texts_that_are_too_long_for_the_style_are_left_out(tmp_path):
    corpus = "package:components/generate/corpus/emotion.jsonl"
    replay(corpus, tmp_path, samples_per_label=6, form_filter=False)
    assert max(map(len, texts_of(tmp_path))) <= load_style("plain").max_characters
    assert "too long" in {line.get("reason") for line in lines_of(tmp_path)}


def test_a_replay_that_is_started_again_ends_with_the_same_texts(asked, tmp_path):
    again = tmp_path / "again"
    replay(asked, again)
    before = texts_of(again)
    lines = (again / LEDGER).read_text("utf-8").splitlines(keepends=True)
    (again / LEDGER).write_text("".join(lines[:3]), "utf-8")
    replay(asked, again)
    assert texts_of(again) == before


def test_the_own_ledger_is_not_replayed_and_answers_of_other_models_stay(asked, tmp_path):
    before = (asked / LEDGER).read_text("utf-8")
    for place in (asked, asked / LEDGER):
        with pytest.raises(InputError, match="is the ledger that this run would write"):
            replay(place, asked)
    assert (asked / LEDGER).read_text("utf-8") == before
    (tmp_path / "copy.jsonl").write_text(before, "utf-8")
    replay(tmp_path / "copy.jsonl", asked)
    answers = [line for line in before.splitlines() if json.loads(line)["kind"] == "answer"]
    assert set(answers) <= set((asked / LEDGER).read_text("utf-8").splitlines())


PIN = f"@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("recorded", "ledger"),
    [
        ("{folder}", "{folder}"),
        ("{folder}/", "{folder}"),
        ("{folder}" + PIN, "{folder}/"),
        ("file://{folder}", "{folder}/../archive"),
        ("gs://bucket/archive/" + PIN, "gs://bucket/archive"),
        ("s3://bucket/archive", "s3://bucket/archive/"),
    ],
)
def test_an_archive_that_is_replayed_is_not_written_to(recorded, ledger, tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    recorded, ledger = recorded.format(folder=folder), ledger.format(folder=folder)
    with pytest.raises(InputError, match="is the archive that this run would write to"):
        replay(recorded, tmp_path / "again", ledger=ledger)
    assert not list(folder.iterdir())


def test_an_archive_may_be_replayed_into_another(asked, tmp_path):
    other = str(tmp_path / "other")
    assert replay(asked, tmp_path / "again", ledger=other) == dict.fromkeys(NAMES, 3)
    assert replay(other, tmp_path / "third") == dict.fromkeys(NAMES, 3)


def test_a_folder_without_a_ledger_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no file ledger"):
        replay(tmp_path, tmp_path / "again")


def test_too_small_a_recording_names_what_is_missing(asked, tmp_path):
    answers = Counter(line["label"] for line in lines_of(asked) if line["kind"] == "answer")
    with pytest.raises(WorkError, match=f"joy {2 * answers['joy']}/50") as refusal:
        replay(asked, tmp_path / "again", samples_per_label=50)
    assert f"{max(answers.values())} requests per label are spent" in str(refusal.value)
    assert (tmp_path / "again" / LEDGER).exists()


def test_a_file_that_is_no_ledger_of_the_task_is_refused(asked, tmp_path):
    kept = [line for line in lines_of(asked) if line["label"] != "joy"]
    (tmp_path / LEDGER).write_text("".join(json.dumps(line) + "\n" for line in kept))
    with pytest.raises(InputError, match="holds no answer for joy"):
        replay(tmp_path, tmp_path / "again")
    with pytest.raises(InputError, match="no such file"):
        replay(tmp_path / "absent", tmp_path / "again")
