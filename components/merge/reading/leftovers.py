"""Files that a training or a project leaves beside data: `test_predictions.csv`, `train_log.txt`.

Their names hold that of a split, yet they hold none of its rows.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from components.artifacts.dataset import TRAIN
from components.merge.reading.split_names import split_of, stem_of, words_of
from components.merge.reading.tables import has_columns, kind_of

_WORDS = re.compile(
    r"predictions|preds|results?|history|arg(ument)?s|loss|metrics|reports?|logs?|configs?|state|"
    r"scores|stats|summary|requirements|ids|cache|curve|confusion|vocab"
)
_FOLDERS = re.compile(r"runs|outputs?|logs?|checkpoints?|models?|results|wandb")
_TESTS = "tests"

_log = logging.getLogger(__name__)


def is_left_by_name(name: str) -> bool:
    """Check for a name of what is computed from a split, such as that of its predictions."""
    return split_of(name) is not None and any(map(_WORDS.fullmatch, words_of(name)))


def without_leftovers(files: Sequence[Path], root: Path) -> list[Path]:
    """Take out what holds no rows by its name or folder, or has a split's name and no columns.

    Files are kept if there is nothing else to train on. The log names those taken out.

    Args:
        files: Readable files in or below the root.
        root: The folder of the data set.
    """
    texts = [each for each in files if kind_of(each) == ".txt"]
    prose = {each for each in texts if split_of(stem_of(each)) and not has_columns(each)}
    tables = [each for each in files if each not in prose]
    # A folder of tests is one of a project, unless it stands beside one of train rows.
    has_tests = not any(split_of(each.parent.name) == TRAIN for each in tables)
    kept = [
        each
        for each in tables
        if not is_left_by_name(stem_of(each)) and not _is_below_output(each, root, has_tests)
    ]
    if not any(_split(each) in (None, TRAIN) for each in kept):
        kept = tables
    for each in files:
        if each not in kept:
            why = "it is no table" if each in prose else "its name is that of a training's output"
            _log.warning("merge: not read, since %s: %s", why, each)
    return kept


def _is_below_output(file: Path, root: Path, has_tests: bool) -> bool:
    folders = file.relative_to(root).parts[:-1]
    return any(map(is_left_by_name, folders)) or any(
        words and all(_FOLDERS.fullmatch(word) or (has_tests and word == _TESTS) for word in words)
        for words in map(words_of, folders)
    )


def _split(file: Path) -> str | None:
    return split_of(stem_of(file)) or split_of(file.parent.name)
