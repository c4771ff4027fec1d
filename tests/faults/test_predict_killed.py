"""predict is killed at any moment, and started again goes on with what is missing."""

import json
import os
import signal

import pandas as pd
import pytest

from tests.forked import start_module
from tests.waiting import wait_for

ROWS, PART = 2_000, 200


@pytest.fixture(scope="module")
def rows(dataset_folder, tmp_path_factory):
    texts = pd.read_parquet(dataset_folder / "train.parquet")["text"].tolist()
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = ({"text": texts[row % len(texts)], "row": row} for row in range(ROWS))
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def started(rows, model, output):
    arguments = [
        "--input",
        rows,
        "--model",
        model,
        "--output",
        output,
        "--set",
        f"part_rows={PART}",
    ]
    log = output.with_name(f"{output.name}-log")
    return start_module("components.predict", list(map(str, arguments)), log)


def finished(rows, model, output):
    process = started(rows, model, output)
    process.join(300)
    assert process.exitcode == 0, (output.with_name(f"{output.name}-log") / "stderr").read_text()
    parts = sorted((output / "rows.jsonl").iterdir())
    return "".join(part.read_text() for part in parts)


def written(output, part):
    return (output / "rows.jsonl" / part).stat().st_mtime_ns


@pytest.fixture(scope="module")
def uninterrupted(rows, model_folder, tmp_path_factory):
    return finished(rows, model_folder, tmp_path_factory.mktemp("whole") / "out")


@pytest.mark.parametrize(("count", "number"), [(1, signal.SIGKILL), (4, signal.SIGTERM)])
def test_a_killed_run_goes_on_and_ends_with_the_same_rows(
    rows, model_folder, uninterrupted, tmp_path, count, number
):
    output = tmp_path / "out"
    process = started(rows, model_folder, output)
    records = output / "_records" / "rows.jsonl"
    wait_for(lambda: records.is_dir() and len(list(records.iterdir())) >= count, 120)
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode != 0
    assert not (output / "predictions.json").exists()
    done = {
        each.stem: (output / "rows.jsonl" / each.stem).stat().st_mtime_ns
        for each in records.iterdir()
    }
    assert count <= len(done) < ROWS // PART
    assert finished(rows, model_folder, output) == uninterrupted
    for name, when in done.items():
        assert written(output, name) == when
    assert [json.loads(line)["row"] for line in uninterrupted.splitlines()] == list(range(ROWS))
