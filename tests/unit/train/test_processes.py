"""The variables by which torchrun tells a worker its place."""

import pytest

from components.train.__main__ import main


@pytest.mark.parametrize("variable", ["RANK", "WORLD_SIZE"])
@pytest.mark.parametrize("value", ["abc", "", "-1", "1.5", "9" * 5000])
def test_what_is_no_number_of_processes_is_refused(monkeypatch, variable, value):
    monkeypatch.setattr("components.train.__main__.start_logging", lambda: None)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit, match=f"^train: {variable}='{value}': is not a number of proc"):
        main(["--dataset", "no/such", "--output", "model"])


def test_without_them_the_command_is_no_worker(monkeypatch):
    monkeypatch.setattr("components.train.__main__.start_logging", lambda: None)
    with pytest.raises(SystemExit, match=r"^train: no/such: there is no such file or folder"):
        main(["--dataset", "no/such", "--output", "model"])
