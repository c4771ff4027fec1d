"""Times of a recurring run."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import InputError
from pipelines.submit.cron import read_cron

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "text",
    [
        "0 0 3 * * 1",
        "59 59 23 31 12 6",
        "0 */15 * * * *",
        "0 5/20 8-18 ? * MON-FRI",
        "0 0 0 1,15 jan,Jul *",
        "0 0 0 29 2 *",
        "0 0 0 31 2 mon",
        "0 0-30/10 * * * *",
    ],
)
def test_six_fields_are_a_schedule(text):
    assert read_cron(text) == text


def test_a_named_schedule_is_taken():
    assert read_cron(" @daily ") == "@daily"


def test_spaces_between_fields_do_not_matter():
    assert read_cron("  0 0  3 * *\t1 ") == "0 0 3 * * 1"


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([], ""),
        (["SCHEDULE=0 0 3 * * 1"], "--schedule ' 0 0 3 * * 1'"),
        (["SCHEDULE=  "], "--schedule ' '"),
    ],
)
def test_make_passes_on_a_schedule_that_is_given_though_it_drops_spaces(given, passed_on):
    command = ["make", "--dry-run", "--old-file=setup", "submit", *given]
    environment = {"PATH": os.environ["PATH"]}
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.rstrip().endswith(passed_on)
    assert ("--schedule" in told.stdout) is bool(passed_on)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 3 * * 1", r"must have six fields, not 5: second, .*Write it like 0 0 3 \* \* 1\.$"),
        ("0 * * * *", r"not 5.*Write it like 0 0 \* \* \* \*\.$"),
        ("every day", r"not 2.*Write it like 0 0 3 \* \* 1\.$"),
        ("  ", "not 0"),
        ("@every 1s", "not 2"),
        ("0 0 3 * * 1 2030", "not 7"),
        ("*/5 * * * * *", "starts runs within seconds of each other"),
        ("* 0 3 * * 1", "starts runs within seconds of each other"),
        ("0 99 3 * * 1", "'99': is no minute, which is 0 to 59"),
        ("60 0 3 * * 1", "is no second"),
        ("0 0 24 * * *", "is no hour"),
        ("0 0 3 0 * *", "is no day of the month"),
        ("0 0 3 L * *", "is no day of the month"),
        ("0 0 3 * 13 *", "is no month, which is 1 to 12 or jan to dec"),
        ("0 0 3 * * 7", "is no day of the week, which is 0 to 6 or sun to sat"),
        ("0 0 3 * * mon#1", "is no day of the week"),
        ("0 */90 * * * *", "is no minute"),
        ("0 */0 * * * *", "is no minute"),
        ("0 5-1 * * * *", "is no minute"),
        ("0 1, * * * *", "is no minute"),
        ("0 -1 * * * *", "is no minute"),
        ("0 ٣ * * * *", "is no minute"),
        ("0 0 0 31 2 *", "never comes"),
        ("0 0 0 31 4,6,9,11 ?", "never comes"),
    ],
)
def test_what_kfp_would_not_run_as_it_was_meant_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        read_cron(text)


@given(st.text("0123456789*/-,? aLmon#W", max_size=20) | st.text(max_size=20))
def test_any_text_is_a_schedule_or_refused(text):
    with contextlib.suppress(InputError):
        assert len(read_cron(text).split(" ")) == 6
