"""Outputs that are written whole, and never in the place of something else."""

import os

import pytest

from components import storage
from components.errors import InputError


def test_an_output_that_would_replace_something_else_is_refused(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("years of work")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("mine")
    for name, rule in (("thesis", "has no m.json"), ("pipe", "neither"), ("file", "is a file")):
        with pytest.raises(InputError, match=rule):
            storage.require_replaceable(tmp_path / name, "m.json")
    assert (tmp_path / "thesis" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_and_an_earlier_output_may_be_replaced(tmp_path):
    for name in ("empty", "earlier"):
        (tmp_path / name).mkdir()
    (tmp_path / "earlier" / "m.json").touch()
    for name in ("new", "empty", "earlier"):
        storage.require_replaceable(tmp_path / name, "m.json")


def test_a_file_is_not_written_over_a_folder_or_a_device(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "Dockerfile").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(InputError), storage.staged(tmp_path / name) as draft:
            draft.write_text("locked")
    assert (tmp_path / "folder" / "Dockerfile").exists()
    assert (tmp_path / "pipe").is_fifo()
