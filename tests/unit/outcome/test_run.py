"""How a run ended: recorded, sent, and never a reason to fail."""

import json
import logging
from datetime import datetime

import pytest

from components import storage
from components.errors import InputError
from components.outcome.__main__ import main
from components.outcome.run import Outcome, outcome
from components.outcome.settings import OutcomeSettings
from tests.fakes.webhook_receiver import PATH, webhook_receiver

FAILED = Outcome("emotion", "run-7", "FAILED", "train", "train failed: no memory.")


def report(folder, registry, webhook_url):
    outcome(OutcomeSettings(registry, webhook_url, 0.01), FAILED, folder / "outcome.json")


@pytest.fixture(autouse=True)
def told(caplog):
    """Everything that is logged; nothing may quote the webhook's URL."""
    caplog.set_level(logging.DEBUG, "components")
    yield caplog
    assert PATH not in caplog.text


def test_the_outcome_is_written_and_kept_in_the_registry(folder_uri, tmp_path):
    report(tmp_path, folder_uri, "")
    record = json.loads((tmp_path / "outcome.json").read_text())
    assert (record["pipeline"], record["run_id"]) == ("emotion", "run-7")
    assert (record["state"], record["step"]) == ("FAILED", "train")
    assert record["error"] == "train failed: no memory."
    assert datetime.fromisoformat(record["ended"]).utcoffset().total_seconds() == 0
    kept, _ = storage.open_store(folder_uri).read("runs/run-7.json")
    assert json.loads(kept) == record


@pytest.mark.parametrize(
    ("state", "said"),
    [("SUCCEEDED", "succeeded"), ("UNKNOWN", "ended, nobody could say how")],
)
def test_a_person_reads_how_the_run_ended(state, said):
    assert Outcome("emotion", "run-7", state).text == f"emotion, run run-7, {said}"


def test_a_person_reads_why_it_did_not():
    assert FAILED.text == "emotion, run run-7, ended as FAILED: train failed: no memory."


def test_the_webhook_gets_the_record_and_a_text(tmp_path):
    with webhook_receiver() as receiver:
        report(tmp_path, "", receiver.url)
    record = json.loads((tmp_path / "outcome.json").read_text())
    assert receiver.received == [{"text": FAILED.text, **record}]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_receiver_is_asked_again(tmp_path, status):
    with webhook_receiver(status, status) as receiver:
        report(tmp_path, "", receiver.url)
    assert len(receiver.received) == 3


def test_a_receiver_that_stays_busy_is_given_up(tmp_path, told):
    with webhook_receiver(*[503] * 9) as receiver:
        report(tmp_path, "", receiver.url)
    assert len(receiver.received) == 4
    assert "answered 503" in told.text


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_a_refusal_is_final(tmp_path, told, status):
    with webhook_receiver(status) as receiver:
        report(tmp_path, "", receiver.url)
    assert len(receiver.received) == 1
    assert f"answered {status}" in told.text


def test_a_receiver_that_is_gone_does_no_harm(tmp_path, told):
    with webhook_receiver() as receiver:
        url = receiver.url
    report(tmp_path, "", url)
    assert "cannot be reached (ConnectError)" in told.text


@pytest.mark.parametrize("url", [PATH, f"ftp://host/{PATH}", f"http://host:0x/{PATH}", "http://"])
def test_an_address_that_is_none_does_no_harm(tmp_path, told, url):
    report(tmp_path, "", url)
    assert "Correct WEBHOOK_URL" in told.text


def test_a_registry_that_cannot_be_written_does_not_keep_the_webhook_waiting(tmp_path, told):
    (tmp_path / "registry").write_text("a file")
    with webhook_receiver() as receiver:
        report(tmp_path, str(tmp_path / "registry"), receiver.url)
    assert len(receiver.received) == 1
    assert "NotADirectoryError" in told.text


@pytest.mark.parametrize("run_id", ["", "../../esc", "a/b", "/a"])
def test_what_could_lead_out_of_the_registry_is_no_id_of_a_run(run_id):
    with pytest.raises(InputError, match=r"^run .*: is not the id of a run"):
        Outcome("emotion", run_id, "FAILED")


@pytest.mark.parametrize(("state", "ends"), [("FAILED", ""), ("NONSENSE", "state='NONSENSE'")])
def test_the_command_records_states_that_there_are(tmp_path, monkeypatch, state, ends):
    output = tmp_path / "outcome.json"
    options = ["--run", "7", "--state", state, "--output", str(output)]
    monkeypatch.setattr("components.outcome.__main__.start_logging", lambda: None)
    if not ends:
        main(options, standalone_mode=False)
        assert json.loads(output.read_text())["state"] == state
        return
    with pytest.raises(SystemExit, match=rf"{ends}: is not known. Use one of: CANCELLED"):
        main(options)
    assert not output.exists()
