"""Limits of a run as a whole: its deadline, and how long its pods are kept."""

import pytest
import yaml

from components.errors import InputError
from pipelines.compile.compiler import compile_pipeline
from pipelines.compile.settings import read_settings


def written(folder, **limits):
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump({"run": limits}))
    return path


def config(folder, **limits):
    compile_pipeline(folder / "out.yaml", read_settings(written(folder, **limits)))
    _, platform = yaml.safe_load_all((folder / "out.yaml").read_text())
    return platform["platforms"]["kubernetes"].get("pipelineConfig")


def test_limits_are_compiled_in_seconds(tmp_path):
    assert config(tmp_path, hours=30, keep_succeeded_hours=24, keep_failed_hours=0.5) == {
        "activeDeadlineSeconds": 108000,
        "resourceTtlOnSuccess": 86400,
        "resourceTtlOnFailure": 1800,
    }


def test_without_limits_there_are_none(tmp_path):
    assert config(tmp_path) is None
    assert config(tmp_path, hours=2) == {"activeDeadlineSeconds": 7200}


@pytest.mark.parametrize("name", ["hours", "keep_succeeded_hours", "keep_failed_hours"])
@pytest.mark.parametrize("value", [-1, 0.01, 9000, float("nan"), float("inf")])
def test_a_limit_that_means_nothing_is_refused(tmp_path, name, value):
    with pytest.raises(InputError, match=rf"run\.{name}="):
        read_settings(written(tmp_path, **{name: value}))


def test_an_unknown_limit_is_named(tmp_path):
    with pytest.raises(InputError, match="days"):
        read_settings(written(tmp_path, days=1))
