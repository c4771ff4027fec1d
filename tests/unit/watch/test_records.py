"""Payload logs as KServe's logger and our predictor leave them, and what they may hold besides."""

import json
from base64 import b64encode
from pathlib import Path

import pandas as pd
import pytest
from cloudevents.conversion import to_json
from cloudevents.http import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from components import storage
from components.errors import InputError
from components.watch.payloads import read_texts
from components.watch.records import Problems, Record, read_records

BODY = b'{"instances": ["I am glad."]}'


def of_kserve(record_id="1", kind="request", body=BODY):
    """A record as KServe's logger writes it: LogRequest in pkg/logger."""
    return {
        "url": {"Scheme": "s3", "Host": "logs"},
        "bytes": b64encode(body).decode(),
        "contentType": "application/json",
        "reqType": f"org.kubeflow.serving.inference.{kind}",
        "id": record_id,
        "sourceUri": {"Path": "http://localhost:9081/"},
        "inferenceService": "emotion",
        "occurrenceTime": "2026-11-27T10:00:00Z",
    }


def event(data=BODY, record_id="1", kind="request"):
    attributes = {"type": f"org.kubeflow.serving.inference.{kind}", "source": "/", "id": record_id}
    return to_json(CloudEvent(attributes, data))


KSERVE = Path(__file__).parent / "kserve"
"""What the marshallers of KServe 0.20.0, pkg/logger, made of a few records: one as JSON, two
as JSON, three as Parquet."""


def test_what_kserve_itself_has_written_is_read():
    records, problems = read(KSERVE)
    assert problems == {}
    by_file = {}
    for each in records:
        by_file.setdefault(each.place.partition(",")[0], []).append((each.id, each.kind))
    asked, answered, other = ("id-1", "request"), ("id-1", "response"), ("id-2", "request")
    assert by_file == {
        "id-1-request.json": [asked],
        "id-1-batch.json": [answered, other],
        "id-1-rows.parquet": [asked, answered, other],
    }
    texts = [read_texts(each.body) for each in records if each.kind == "request"]
    assert sorted(texts) == [["I feel wonderful today."]] * 2 + [["Leave me alone!"]] * 2


def written(place, **files):
    store = storage.open_store(str(place))
    for name, given_content in files.items():
        content = given_content
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        store.write(name.replace("_", "."), content)


def read(place):
    problems = Problems()
    return list(read_records(str(place), problems)), problems.counts


def bodies(records):
    return sorted((each.id, each.kind, each.body) for each in records)


def test_every_file_of_a_log_is_read_wherever_it_is(folder_uri, tmp_path):
    tabular = {**of_kserve("4", "response"), "url": "s3://logs", "sourceUri": "", "metadata": "{}"}
    pd.DataFrame([tabular]).to_parquet(tmp_path / "rows.parquet")
    written(
        folder_uri,
        one_json=of_kserve("1"),
        many_json=[of_kserve("2"), of_kserve("3", "response")],
        lines_jsonl=event(record_id="5") + b"\n" + event({"instances": ["x"]}, "6") + b"\n\n",
        rows_parquet=(tmp_path / "rows.parquet").read_bytes(),
    )
    records, problems = read(folder_uri)
    assert bodies(records) == [
        ("1", "request", BODY),
        ("2", "request", BODY),
        ("3", "response", BODY),
        ("4", "response", BODY),
        ("5", "request", BODY),
        ("6", "request", b'{"instances": ["x"]}'),
    ]
    assert problems == {}


def test_what_cannot_be_used_is_counted_with_its_place_and_stops_nothing(tmp_path):
    rows = [
        of_kserve("1"),
        {**of_kserve("2"), "reqType": "another"},
        {key: value for key, value in of_kserve("3").items() if key != "bytes"},
        {**of_kserve("4"), "bytes": "no base64!"},
        {**of_kserve(""), "id": ""},
        "a text",
        7,
    ]
    lines = "\n".join(map(json.dumps, rows)) + "\n{broken\n"
    written(tmp_path, a_jsonl=lines, b_json='[{"id": "1"', c_csv="x", d_parquet="PAR1")
    problems = Problems()
    records = list(read_records(str(tmp_path), problems))
    assert [each.id for each in records] == ["1"]
    assert problems.counts == {
        "a file that ends in none of .json, .jsonl, .ndjson, .parquet": 1,
        "a record that is neither KServe's nor a CloudEvent": 5,
        "a record without bytes": 1,
        "a record without id": 1,
        "a file that cannot be read": 2,
    }
    assert problems.places["a record without bytes"] == "a.jsonl, record 3"
    assert "c.csv" in problems.places.values()


def test_a_log_without_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no files"):
        read(tmp_path / "none")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "large.jsonl").open("wb") as file:
        file.truncate(64 * 2**20 + 1)
    assert read(tmp_path) == ([], {"a file of more than 64 MiB": 1})


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMED = st.dictionaries(st.sampled_from(["id", "type", "reqType", "data", "bytes"]), VALUES)


@given(st.lists(st.binary() | (VALUES | NAMED).map(lambda value: json.dumps(value).encode())))
def test_whatever_lies_in_a_log_is_a_record_or_counted(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("log")
    (folder / "a.jsonl").write_bytes(b"\n".join(lines))
    records, problems = read(folder)
    assert all(isinstance(each, Record) and each.id for each in records)
    assert all(isinstance(reason, str) for reason in problems)
