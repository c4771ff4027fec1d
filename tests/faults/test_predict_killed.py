"""predict is killed at any moment, and started again goes on with what is missing."""

import json
import signal
import subprocess
import sys

import pandas as pd
import pytest

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
    command = [sys.executable, "-m", "components.predict", "--input", rows, "--model", model]
    command += ["--output", output, "--set", f"part_rows={PART}"]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE)


def finished(rows, model, output):
    process = started(rows, model, output)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()[-2000:]
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
    process.send_signal(number)
    assert process.wait(60) != 0
    process.stderr.close()
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
