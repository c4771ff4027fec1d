"""Outputs of train that would take the place of something else."""

import pytest

from components.errors import InputError
from components.train.export.encoder import export_encoder
from components.train.run import train
from components.train.settings import TrainSettings


@pytest.mark.parametrize("named", ["model", "real_only"])
def test_a_folder_of_something_else_is_refused_before_anything_is_trained(named, tmp_path):
    mine = tmp_path / named / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work")
    folders = [tmp_path / name for name in ("dataset", "model", "real_only", "checkpoints")]
    with pytest.raises(InputError, match=rf"{named}: holds something else .*manifest\.json"):
        train(TrainSettings(ablation=True), *folders)
    assert mine.read_text() == "years of work"
    assert not (tmp_path / "checkpoints").exists()


def test_an_encoder_is_not_written_over_something_else(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match="holds something else"):
        export_encoder("no such model", "", tmp_path)
