"""Content hashes of outside data: what is pinned, that a change shows, that a step checks it."""

import hashlib
from pathlib import Path

import pytest

from components import storage
from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.reading.sources import locate
from components.merge.settings import MergeSettings
from pipelines.compile.pins import pinned
from pipelines.parameters import read_parameters
from tests.support_tickets import TASK

PARAMS = Path(__file__).parents[3] / "pipelines" / "params"


@pytest.fixture
def outside(tmp_path):
    """A file of each kind that a parameter may name, and the parameters that name them."""
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "gate.yaml").write_text("min_accuracy: 0.5\n")
    (tmp_path / "style.yaml").write_text("a style")
    (tmp_path / "tiny.gguf").write_text("an LLM")
    (tmp_path / "ledger.jsonl").write_text("answers")
    (tmp_path / "others.csv").write_text("text,label\n")
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.csv").write_text("text,label\nhello,joy\n")
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "model.safetensors").write_text("weights")
    return tmp_path, {
        **read_parameters(None),
        "task": f"{tmp_path}/task.yaml",
        "evaluate_gate": f"{tmp_path}/gate.yaml",
        "generate_style": f"file://{tmp_path}/style.yaml",
        "generate_models": [
            f"{tmp_path}/tiny.gguf",
            f"recorded:{tmp_path}/ledger.jsonl",
            "https://llm.example/v1#name",
        ],
        "merge_dataset": f"{tmp_path}/rows",
        "train_base_model": f"{tmp_path}/encoder",
        "train_base_model_revision": "",
        "evaluate_options": {"out_of_domain": f"{tmp_path}/others.csv"},
        "train_options": {"unlabelled_texts": f"{tmp_path}/others.csv", "distill": True},
        "generate_options": {"focus": f"{tmp_path}/gate.yaml"},
        "merge_options": {
            "encoder": f"file://{tmp_path}/encoder",
            "feedback": f"{tmp_path}/others.csv",
        },
    }


@pytest.mark.parametrize(
    ("dataset", "refused"),
    [
        ("/", r"^/: holds more than 10,000 files\. Name the folder"),
        ("{}/encoder", "has neither a train file nor a single table"),
    ],
)
def test_a_folder_that_cannot_be_meant_is_not_hashed(dataset, refused, outside, monkeypatch):
    folder, _ = outside
    monkeypatch.delattr(storage, "content_sha256")
    given = {**read_parameters(None), "merge_dataset": dataset.format(folder)}
    with pytest.raises(InputError, match=refused):
        pinned(given)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_everything_outside_is_pinned_by_its_content(outside):
    folder, values = outside
    result = pinned(values)
    assert result["task"] == f"{folder}/task.yaml@sha256:{sha256(folder / 'task.yaml')}"
    assert result["evaluate_gate"].endswith(f"@sha256:{sha256(folder / 'gate.yaml')}")
    feedback = result["merge_options"]["feedback"]
    assert feedback == f"{folder}/others.csv@sha256:{sha256(folder / 'others.csv')}"
    assert result["generate_style"].endswith(f"@sha256:{sha256(folder / 'style.yaml')}")
    assert result["generate_options"]["focus"].endswith(f"{sha256(folder / 'gate.yaml')}")
    encoder = storage.content_sha256(folder / "encoder")
    assert result["merge_options"]["encoder"].endswith(f"/encoder@sha256:{encoder}")
    assert result["generate_models"][0].endswith(f".gguf@sha256:{sha256(folder / 'tiny.gguf')}")
    ledger = f"{folder}/ledger.jsonl@sha256:{sha256(folder / 'ledger.jsonl')}"
    assert result["generate_models"][1] == f"recorded:{ledger}"
    assert result["generate_models"][2] == values["generate_models"][2]
    others = result["evaluate_options"]["out_of_domain"]
    assert others.endswith(f"@sha256:{sha256(folder / 'others.csv')}")
    texts = f"{folder}/others.csv@sha256:{sha256(folder / 'others.csv')}"
    assert result["train_options"] == {"unlabelled_texts": texts, "distill": True}
    weights = sha256(folder / "encoder" / "model.safetensors")
    assert result["train_base_model_revision"] == f"sha256:{weights}"
    assert result["merge_dataset_revision"] == f"sha256:{storage.content_sha256(folder / 'rows')}"
    untouched = set(values) - {
        *("task", "evaluate_gate", "generate_style", "generate_models", "evaluate_options"),
        *("generate_options", "merge_options", "train_options"),
        *("train_base_model_revision", "merge_dataset_revision"),
    }
    assert {name: result[name] for name in untouched} == {name: values[name] for name in untouched}


def test_what_is_pinned_stays_as_it_is(outside):
    _, values = outside
    once = pinned(values)
    assert pinned(once) == once


@pytest.mark.parametrize("name", ["local", "smoke", "full", "seed"])
def test_a_shipped_set_names_nothing_that_is_not_pinned(name):
    values = read_parameters(PARAMS / f"{name}.yaml")
    assert pinned(values) == values


@pytest.mark.parametrize("name", ["rows/train.csv", "task.yaml", "gate.yaml", "tiny.gguf"])
def test_a_change_of_content_shows(outside, name):
    folder, values = outside
    before = pinned(values)
    (folder / name).write_text("something else")
    assert pinned(values) != before


def test_something_that_is_not_there_is_named(outside):
    _, values = outside
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        pinned({**values, "evaluate_gate": "nowhere.yaml"})


def test_a_step_reads_what_is_pinned_and_refuses_anything_else(outside):
    folder, values = outside
    reference = pinned(values)["task"]
    assert load_task(reference).name == "support"
    (folder / "task.yaml").write_text(TASK + "\n")
    with pytest.raises(InputError, match="is pinned"):
        load_task(reference)


def test_merge_refuses_another_content_and_names_both_hashes(outside, tmp_path):
    folder, values = outside
    wanted = pinned(values)["merge_dataset_revision"]
    settings = MergeSettings(dataset=values["merge_dataset"], dataset_revision=wanted)
    assert locate(settings, tmp_path) == folder / "rows"
    (folder / "rows" / "train.csv").write_text("text,label\nhello,love\n")
    actual = storage.content_sha256(folder / "rows")
    with pytest.raises(InputError, match=f"{actual}, but {wanted.removeprefix('sha256:')}"):
        locate(settings, tmp_path)


def test_the_hash_of_a_folder_covers_names_and_contents(tmp_path):
    hashes = set()
    for name, text in (("a/x", "1"), ("a/x", "2"), ("a/y", "2"), ("b/y", "2")):
        path = tmp_path / f"{len(hashes)}" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        hashes.add(storage.content_sha256(path.parents[1]))
    assert len(hashes) == 4


def test_the_hash_of_a_folder_is_that_of_a_listing_by_sha256sum(tmp_path):
    names = ("a-b", "a.b", "a/b", "b")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    listing = "".join(f"{sha256(tmp_path / name)}  {name}\n" for name in names)
    assert storage.content_sha256(tmp_path) == hashlib.sha256(listing.encode()).hexdigest()


@pytest.mark.parametrize(
    "options",
    [
        {"generate_options": {"focus": "registry:gs://bucket/models"}},
        {"merge_options": {"encoder": f"owner/name@{'a' * 40}"}},
        {"merge_options": {"encoder": "build/encoder"}},
    ],
)
def test_what_has_a_commit_or_a_generation_or_is_of_this_machine_stays_as_it_is(options):
    assert {**read_parameters(None), **options} == pinned({**read_parameters(None), **options})
