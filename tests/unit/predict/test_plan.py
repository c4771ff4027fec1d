"""The plan that shards and later tries share, and the choices behind it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import storage
from components.errors import InputError
from components.predict.inputs import Source, names_of
from components.predict.model import ModelIdentity
from components.predict.plan import PLAN, Plan, keep, plan_for, read_plan, require_usable
from components.predict.settings import PredictSettings

MODEL = ModelIdentity("gs://models/run-1", "ab" * 32, "run-1", "emotion", ("joy", "anger"))
GIVEN = {"input": "rows", "output": "labelled", "model": "folder"}


def planned(output="labelled", rows=10, **choices):
    settings = PredictSettings(**{**GIVEN, "output": str(output), "part_rows": 4, **choices})
    return settings, plan_for(settings, MODEL, [Source("a/b.csv.gz", rows, "cd" * 32)])


@given(
    rows=st.lists(st.integers(0, 50), min_size=1, max_size=5),
    size=st.integers(1, 20),
    most=st.integers(1, 9),
)
def test_shards_share_all_rows_and_none_is_idle(rows, size, most):
    sources = [Source(f"{number}.csv", each, "") for number, each in enumerate(rows)]
    plan = Plan("rows", MODEL, tuple(sources), {"part_rows": size})
    parts = list(plan.parts())
    assert sum(part.stop - part.start for part in parts) == plan.rows
    assert all(0 < part.stop - part.start <= size for part in parts)
    shards = plan.shards(most)
    shares = [plan.share(shard, shards) for shard in range(shards)]
    assert [part for share in shares for part in share] == parts
    assert all(shares)
    assert shards <= most
    assert len({part.name for part in parts}) == len(parts)


def test_a_part_has_the_name_of_its_file_and_its_kind():
    _, plan = planned()
    names = [part.name for part in plan.parts()]
    assert names == [f"a/b.csv.gz/part-{number:05d}.csv.gz" for number in range(3)]
    assert next(plan.parts()).record == f"_records/{names[0]}.json"


def test_a_plan_comes_back_from_any_store(folder_uri):
    settings, plan = planned(folder_uri)
    require_usable(settings, "run-1")
    with pytest.raises(InputError, match=r"has no _plan\.json"):
        read_plan(folder_uri)
    keep(settings, plan)
    assert read_plan(folder_uri) == plan
    assert set(storage.open_store(folder_uri).sizes()) - {"_plan.lock"} == {PLAN}
    moved = replace(plan, model=replace(MODEL, uri="elsewhere"), input="other")
    keep(settings, moved)
    assert read_plan(folder_uri) == moved


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": replace(MODEL, sha256="ef" * 32)}, r"other model \(abababababab, gs://models"),
        ({"sources": (Source("a/b.csv.gz", 10, "00"),)}, "other input"),
        ({"choices": {**planned()[1].choices, "prefix": "x"}}, r"other settings \(prefix\)"),
    ],
)
def test_two_kinds_of_results_are_never_mixed(tmp_path, change, said):
    settings, plan = planned(tmp_path / "out")
    keep(settings, plan)
    other = replace(plan, **change)
    with pytest.raises(InputError, match=said + r".*overwrite=true"):
        keep(settings, other)
    assert read_plan(settings.output) == plan
    store = storage.open_store(settings.output)
    parts = list(plan.parts())
    left = [parts[0].name, parts[2].record, "predictions.json", "report.html"]
    for name in [*left, "my notes.txt"]:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text("x")
    keep(replace(settings, overwrite=True), other)
    assert read_plan(settings.output) == other
    assert set(store.sizes()) - {"_plan.lock"} == {PLAN, "my notes.txt"}


def test_an_output_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    settings, _ = planned(tmp_path)
    with pytest.raises(InputError, match=r"holds something else \(it has no _plan\.json\)"):
        require_usable(settings, "run-1")


def test_an_output_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    settings, _ = planned(tmp_path / "file" / "out")
    with pytest.raises(InputError, match="cannot be used"):
        require_usable(settings, "run-1")


def test_a_plan_that_is_none_is_refused(tmp_path):
    (tmp_path / PLAN).write_text("{}")
    with pytest.raises(InputError, match=r"has a _plan\.json that is none"):
        read_plan(str(tmp_path))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"input": ""}, "input: is empty"),
        ({"output": ""}, "output: is empty"),
        ({"output": "rows"}, "would be read as rows"),
        ({"output": "rows/new"}, "would be read as rows"),
        ({"input": "gs://b/x/y", "output": "gs://b/x"}, "would be read as rows"),
        ({"input": "ftp://x"}, "scheme 'ftp'"),
        ({"model": ""}, "no model is named"),
        ({"text_column": ""}, "text_column: is empty"),
        ({"shards": 0}, "shards=0"),
        ({"part_rows": 0}, "part_rows=0"),
        ({"threads": 257}, "threads=257"),
        ({"signer_identity": "me"}, "signer_issuer"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given_, said):
    with pytest.raises(InputError, match=said):
        PredictSettings(**{**GIVEN, **given_})


def test_names_that_only_begin_alike_are_apart():
    PredictSettings(input="gs://b/rows", output="gs://b/rows-new", model="m")
    PredictSettings(input="rows", output="rows2", model="m")


def test_files_of_rows_are_found_below_a_folder(folder_uri, tmp_path, caplog):
    names = ["b.csv", "a/x.parquet", "_SUCCESS.csv", ".hidden/y.csv", "README.md"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("x")
    storage.upload(storage.open_store(folder_uri), tmp_path / "in", names)
    assert names_of(folder_uri) == ["a/x.parquet", "b.csv"]
    assert "3 files are not read, first .hidden/y.csv" in caplog.text
    assert names_of(f"{folder_uri}/b.csv") == ["b.csv"]
    with pytest.raises(InputError, match="there is no such file or folder"):
        names_of(f"{folder_uri}/none")
    with pytest.raises(InputError, match=r"holds no rows.*\.parquet, \.csv"):
        names_of(f"{folder_uri}/README.md")
