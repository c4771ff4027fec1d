"""Rows that are read and written again: they stay as they are, whatever is in them."""

import csv
import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from components.errors import InputError
from components.predict.columns import EMPTY, NOT_TEXT, TOO_LONG, Columns, Scores, reason_for
from components.predict.tables.opening import ending_of, open_table
from components.predict.tables.table import WINDOW_ROWS, Named

NAMED = Named("text", Columns(("joy", "anger")))
ADDED = NAMED.added.names
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", " ", '"', 'She said "no"', "a\nb", "a\r\nb", "\r", ",;\t|", "\U0001f600\u200d", "é"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)


def scores_of(texts):
    """Something to say of each text, known from its place."""
    shares = np.array([[0.25, 0.75] if place % 2 else [1, 0] for place in range(len(texts))])
    reasons = [reason_for(text, 10) for text in texts]
    shares = np.where([[each is not None] for each in reasons], np.nan, shares.reshape(-1, 2))
    return Scores(reasons, shares.astype(np.float32))


def rewritten(path, start=0, stop=None, cut=10**6, named=NAMED):
    """Read rows of a file, and write them again; gives the new file and the windows."""
    table = open_table(path, ending_of(path.name), named)
    target = path.with_name(f"new-{path.name}")
    stop = table.count() if stop is None else stop
    windows = list(table.windows(start, stop, cut))
    with table.writing(target) as write:
        for window in windows:
            write(window, scores_of(window.texts))
    return target, windows


def read_csv(path, delimiter=","):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


@given(data=st.data())
def test_separated_values_stay_as_they_are(data):
    names = TEXTS.filter(lambda text: text not in {"text", *ADDED})
    others = data.draw(st.lists(names, max_size=2))
    # Nothing parts a header of one column.
    separator = data.draw(st.sampled_from(",;\t|" if others else ","))
    header = [*others, "text"]
    rows = data.draw(st.lists(st.tuples(*[TEXTS] * len(header)).map(list), max_size=6))
    # A single empty cell is a line without any: no reader can tell it from an empty line.
    rows = [row for row in rows if len(row) > 1 or row[0]]
    name = data.draw(st.sampled_from(["rows.csv", "rows.csv.gz"]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        opener = gzip.open if name.endswith("gz") else open
        with opener(path, "wt", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=separator).writerows([header, *rows])
        target, windows = rewritten(path, cut=data.draw(st.integers(1, 4)))
        written = read_csv(target, separator)
    assert written[0] == [*header, *ADDED]
    assert [row[: len(header)] for row in written[1:]] == rows
    reasons = [reason_for(row[-1], 10) for row in rows]
    assert [row[-1] for row in written[1:]] == [each or "" for each in reasons]
    assert all(bool(row[len(header)]) == (not row[-1]) for row in written[1:])
    assert [text for window in windows for text in window.texts] == [row[-1] for row in rows]


@given(
    rows=st.lists(
        st.dictionaries(TEXTS.filter(lambda name: name not in ADDED), JSON, max_size=3), max_size=6
    ),
    ascii_only=st.booleans(),
    cut=st.integers(1, 4),
)
def test_objects_stay_as_they_are_to_the_letter(rows, ascii_only, cut):
    rows = [{"text": "first"}, *rows]
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8", newline="")
        target, _ = rewritten(path, cut=cut)
        written = target.read_text(encoding="utf-8").split("\n")
    assert written.pop() == ""
    for line, new, row in zip(lines, written, rows, strict=True):
        assert new.startswith(line[:-1])
        content = json.loads(new)
        assert {name: content[name] for name in row} == row
        assert set(content) == set(row) | set(ADDED)
        assert content["no_label"] == reason_for(row.get("text"), 10)


def test_half_a_surrogate_pair_gets_no_label_and_stays(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "half \\ud83d", "id": 1.50}\n{ }\n')
    target, _ = rewritten(path)
    first, second = target.read_text(encoding="utf-8").splitlines()
    assert first.startswith('{"text": "half \\ud83d", "id": 1.50, "label": null')
    assert json.loads(first)["no_label"] == NOT_TEXT
    assert json.loads(second) == {**dict.fromkeys(ADDED), "no_label": EMPTY}


@given(
    texts=st.lists(st.none() | TEXTS, min_size=1, max_size=12),
    group=st.integers(1, 5),
    cut=st.integers(1, 5),
    data=st.data(),
)
def test_columns_of_parquet_keep_their_types(texts, group, cut, data):
    size = len(texts)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    table = pa.table(
        {
            "id": pa.array(range(size), pa.uint8()),
            "text": pa.array(texts, data.draw(st.sampled_from([pa.string(), pa.large_string()]))),
            "price": pa.array([None, *[Decimal("1.10")] * (size - 1)], pa.decimal128(5, 2)),
            "at": pa.array([datetime(2026, 11, 27, tzinfo=UTC)] * size, pa.timestamp("us", "UTC")),
            "tags": pa.array([["a"], *[None] * (size - 1)], pa.list_(pa.string())),
            "place": pa.array([{"x": 1, "y": None}] * size),
            "kind": pa.array(["k"] * size).dictionary_encode(),
            "raw": pa.array([b"\xff"] * size),
        }
    ).replace_schema_metadata({b"mine": b"kept", b"huggingface": b"{}"})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        parquet.write_table(table, path, row_group_size=group)
        target, windows = rewritten(path, start, stop, cut)
        written = parquet.read_table(target)
    assert written.select(table.column_names).equals(table.slice(start, stop - start))
    assert written.column_names[-len(ADDED) :] == list(ADDED)
    assert written.schema.metadata == {b"mine": b"kept"}
    assert written["no_label"].to_pylist() == [reason_for(each, 10) for each in texts[start:stop]]
    assert written["label"].null_count == written["probability_joy"].null_count
    for window in windows:
        assert window.start // cut == (window.start + len(window.texts) - 1) // cut


def test_dictionaries_of_texts_are_texts(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode()}), path)
    _, (window,) = rewritten(path)
    assert window.texts == ["a", "b", "a"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_windows_are_bounded_and_start_where_they_say(tmp_path, kind):
    texts = [str(number) for number in range(WINDOW_ROWS + 10)]
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        parquet.write_table(pa.table({"text": texts}), path)
    elif kind == "csv":
        path.write_text("\n".join(["text", *texts]))
    else:
        path.write_text("\n".join(json.dumps({"text": each}) for each in texts))
    _, windows = rewritten(path, 5, len(texts) - 1, WINDOW_ROWS + 2)
    read = [text for window in windows for text in window.texts]
    assert read == texts[5:-1]
    assert max(len(window.texts) for window in windows) <= WINDOW_ROWS
    assert all(window.texts[0] == str(window.start) for window in windows)


def test_windows_of_long_rows_hold_fewer(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text\n" + ("x" * 10**6 + "\n") * 40)
    _, windows = rewritten(path)
    assert [len(window.texts) for window in windows] == [17, 17, 6]


def test_a_table_that_windows_of_spreadsheets_write_is_read(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xef\xbb\xbfid;text\r\n1;so\r\n\r\n2\r\n")
    target, windows = rewritten(path)
    assert windows[0].rows == [["1", "so"], ["2", ""]]
    assert read_csv(target, ";")[0][:2] == ["id", "text"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b'text,x\n"a,1\nb,2\n', r"a\.csv, line 2: has a quote that is not closed"),
        ("a.csv", b"text\na\nb,c\n", r"a\.csv, line 3: has 2 values, more than its header \(1\)"),
        ("a.csv", b"text\n\xff\n", "is not UTF-8"),
        ("a.csv", b"", "has no column 'text'"),
        ("a.csv", b"sentence\na\n", r"has no column 'text' \(it has sentence\).*text_column"),
        ("a.csv", b"text,label\na,joy\n", "has label, as columns that are added.*Set prefix"),
        ("a.csv.gz", b"text\na\n", "is not packed as its name says"),
        ("a.csv.gz", gzip.compress(b"text\n" + b"abc\n" * 999, mtime=0)[:-9], "or cut off"),
        ("a.csv.xz", b"text\na\n", "is not packed as its name says"),
        ("a.jsonl", b'{"text": "a"}\n{"text"}\n', r"a\.jsonl, line 2: is not JSON"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', r"a\.jsonl, line 2: holds a list"),
        ("a.jsonl", b"[" * 99_999, "is not JSON"),
        ("a.jsonl", b'{"texts": "a"}\n', r"has no column 'text' \(it has texts\)"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b", "label": 1}', "line 2: has label, as columns"),
        ("a.parquet", b"PAR1", "is not readable as Parquet"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_rule(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_table(tmp_path / name, ending_of(name), NAMED).count()


def test_a_column_of_numbers_holds_no_texts(tmp_path):
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"text": [1]}), path)
    with pytest.raises(InputError, match=r"column text: holds int64, not texts"):
        rewritten(path)


def test_a_prefix_makes_room_for_columns_of_the_same_name(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\na,1\n")
    target, _ = rewritten(path, named=Named("text", Columns(("joy", "anger"), "my_")))
    header, row = read_csv(target)
    added = ["label", "probability", "probability_joy", "probability_anger", "no_label"]
    assert header == ["text", "label", *(f"my_{each}" for each in added)]
    assert row == ["a", "1", "joy", "1.000000", "1.000000", "0.000000", ""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("so", None),
        (" \n", EMPTY),
        (None, EMPTY),
        (3, NOT_TEXT),
        ("\ud800", NOT_TEXT),
        ("x" * 10, None),
        ("x" * 11, TOO_LONG),
        ("\U0001f600", None),
    ],
)
def test_a_text_gets_no_label_for_a_reason(text, reason):
    assert reason_for(text, 10) == reason


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.b.csv", ".csv"),
        ("A.CSV.GZ", ".csv.gz"),
        ("a.jsonl.xz", ".jsonl.xz"),
        ("a.parquet", ".parquet"),
        ("a.parquet.gz", ""),
        ("a.gz", ""),
        ("a.json", ""),
        ("a", ""),
        ("", ""),
    ],
)
def test_the_end_of_a_name_tells_how_a_file_is_read(name, ending):
    assert ending_of(name) == ending
