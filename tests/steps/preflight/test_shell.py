"""Preflight from a shell takes the parameters of a run, whole and by their names."""

import logging
from pathlib import Path

import pytest

from components.data_files import to_yaml
from components.preflight import __main__ as shell
from pipelines.parameters import read_parameters

LOCAL = Path(__file__).parents[3] / "pipelines" / "params" / "local.yaml"


@pytest.fixture
def check(monkeypatch):
    """Runs preflight with a parameter file and one override; logging stays pytest's."""
    monkeypatch.setattr(shell, "start_logging", lambda: None)

    def run(parameters, override):
        words = ["--parameters", str(parameters), "--set", override]
        shell.main(words, standalone_mode=False)

    return run


@pytest.fixture
def whole(tmp_path):
    """A file with every parameter of the embedded default."""
    path = tmp_path / "set.yaml"
    path.write_text(to_yaml(read_parameters(LOCAL)))
    return path


def test_a_whole_set_is_checked(check, whole, caplog):
    caplog.set_level(logging.INFO, "components")
    check(whole, "train_options.lora_rank=4")
    assert "preflight: in order: task emotion" in caplog.text


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("epochs=3", "Did you mean train_epochs"),
        ("train_epochs=many", "train_epochs"),
        ("train_options.lora_rnak=4", "lora_rank"),
        ("generate_models=[1]", "generate_model=1: must be str"),
        ("merge_dataset=no/such/rows.csv", "no/such/rows.csv"),
    ],
)
def test_what_cannot_be_run_ends_the_shell_command(check, whole, override, said):
    with pytest.raises(SystemExit, match=said):
        check(whole, override)


def test_a_set_that_lacks_parameters_is_refused(check):
    with pytest.raises(SystemExit, match="lacks task, generate_shards, merge_test_fraction"):
        check(LOCAL, "seed=1")
