"""Which file of a folder holds rows of which split, by the names of files and folders."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from components import storage
from components.artifacts.dataset import SPLITS, TRAIN
from components.errors import InputError
from components.merge.reading.card_splits import by_card, stated_splits
from components.merge.reading.label_files import holds_names
from components.merge.reading.leftovers import is_left_by_name, without_leftovers
from components.merge.reading.split_names import SPLIT_WORDS, WHOLE, split_of, stem_of, words_of
from components.merge.reading.split_words import means_split_elsewhere
from components.merge.reading.tables import NAMED, holds_no_rows, is_readable, kind_of

# Words that may mean a split: trainset, testdata, valset, xtest, tst, holdout, held-out, unseen.
_UNCLEAR = re.compile(
    r"(x|y|my|new|the)?(train|test|valid|val|dev|eval)(s|sets?|data|splits?|ing|x|y|df|files?|rows)?"
    r"|(train|test|valid|val|dev|eval){2,}|trn|tst|hold(out)?|held(out)?|unseen|development"
)
_TWO_LETTERS = ("tr", "te")
"""Words for train and test, if a folder has both; or codes of languages."""
_NOT_READ = re.compile(
    r"\.(zip|tar|tgz|7z|rar|zst|gz|xlsx?|arrow|feather|pkl|pickle|h5|orc|avro)", re.IGNORECASE
)
_SHOWN = 8
_RENAME = "Put train, validation or test into its name, or take it out of the folder"

_log = logging.getLogger(__name__)


def split_files(root: Path, named: Sequence[str] = NAMED) -> dict[str, list[Path]]:
    """Sort the files of a data set by splits, in the order of their names.

    Args:
        root: A file, or a folder whose files, or those of one folder below it, hold rows.
        named: The columns of texts and of labels.

    Returns:
        The files of each split that is there, or all of them under `WHOLE` if none names one.

    Raises:
        InputError: If the folder holds too many files, the split of one is not certain, there are
            two files of the same rows, a card gives another, or there is none to train on.
    """
    if root.is_file():
        return {WHOLE: [root]}
    storage.require_few_files(root)
    files = _files_with_rows(root, named)
    stated = stated_splits(files, root)
    unclear = [file for file in files if file not in stated]
    _require_no_pair({word for file in unclear for word in words_of(stem_of(file))}, root)
    by_name = {file: _split(file, root, len(files) == 1 or file in stated) for file in files}
    found: dict[str, list[Path]] = {}
    for file, split in by_card(by_name, stated).items():
        found.setdefault(split, []).append(file)
    _require_train(root, found)
    for split, those in found.items():
        _require_one_of_each(those, split)
    if len(found) > 1:
        for file in found.pop(WHOLE, []):
            _log.warning("merge: not read, since its name has no split: %s", file)
    _tell_of_pooled(found.get(WHOLE, []))
    return {name: found[name] for name in (WHOLE, *SPLITS) if name in found}


def _tell_of_pooled(files: Sequence[Path]) -> None:
    """Say which files become one table, unless their names differ in numbers or letters alone."""
    stems = {" ".join(word for word in words_of(stem_of(each)) if len(word) > 1) for each in files}
    if len(stems) > 1:
        names = ", ".join(each.name for each in files)
        _log.warning("merge: read as one table, since no name has a split: %s", names)


def _require_no_pair(words: set[str], root: Path) -> None:
    """Refuse words of which one says train where another says test: moodtrain and moodtest."""
    if words & set(SPLIT_WORDS):
        return
    pairs = [(each, each.replace("train", "test")) for each in sorted(words) if "train" in each]
    for pair in [*pairs, _TWO_LETTERS]:
        if words.issuperset(pair):
            rule = f"has names from which its splits are not certain ({', '.join(pair)})"
            raise InputError(str(root), rule, _RENAME)


def _files_with_rows(root: Path, named: Sequence[str]) -> list[Path]:
    """The files that may hold rows: those in the folder, or else in one folder below it."""
    _require_no_packed_split(root)
    below = sorted(each for each in root.rglob("*") if is_readable(each) and each.is_file())
    # Beside rows.csv, a Mac puts `._rows.csv`, or __MACOSX in archives, and Excel `~$rows.csv`.
    seen = [
        each
        for each in below
        if not any(part.startswith((".", "__", "~")) for part in each.relative_to(root).parts)
    ]
    # README.txt holds no rows, and neither do dataset_infos.json and labels.csv with ids and names.
    tables = [each for each in seen if kind_of(each) != ".txt" or split_of(stem_of(each))]
    tables = without_leftovers(tables, root)
    files = [
        each
        for each in tables
        if split_of(stem_of(each)) or not (holds_no_rows(each) or holds_names(each, named))
    ] or tables
    if top := [each for each in files if each.parent == root]:
        _require_no_split_below(root, top[0], files)
        return top
    homes = sorted({_home(each, root).relative_to(root).as_posix() for each in files})
    if len(homes) > 1:
        rule = f"has rows in several folders ({', '.join(homes)})"
        raise InputError(str(root), rule, "Give the one that is meant as dataset")
    return files


def _require_no_packed_split(root: Path) -> None:
    for each in sorted(root.iterdir()):
        is_packed = _NOT_READ.fullmatch(each.suffix) and not is_readable(each)
        is_left = each.name.startswith(".") or is_left_by_name(each.name)
        if is_packed and split_of(each.name) and not is_left:
            rule = "names a split, but is of a kind that is not read in a folder"
            fix = "Unpack or convert it, or take it out of the folder"
            raise InputError(str(each), rule, fix)


def _require_no_split_below(root: Path, top: Path, files: Sequence[Path]) -> None:
    for each in files:
        inner = each.relative_to(root)
        if each.parent != root and (split_of(stem_of(each)) or split_of(each.parent.name)):
            rule = f"has rows in itself ({top.name}) and below it ({inner})"
            raise InputError(str(root), rule, "Give the folder that is meant as dataset")


def _home(file: Path, root: Path) -> Path:
    """The folder of a file, or the one above if the folder is that of a split."""
    folder = file.parent
    return folder.parent if folder != root and split_of(folder.name) else folder


def _split(file: Path, root: Path, is_clear: bool) -> str:
    folder = file.parent.name if file.parent != _home(file, root) else ""
    words = [*words_of(folder), *words_of(stem_of(file))]
    splits = {SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS}
    if len(splits) == 1:
        return splits.pop()
    is_unclear = any(map(_UNCLEAR.fullmatch, words)) or means_split_elsewhere(
        f"{folder} {stem_of(file)}"
    )
    if not is_clear and (splits or is_unclear):
        rule = "has a name from which its split is not certain"
        raise InputError(str(file), rule, _RENAME)
    return WHOLE


def _require_train(root: Path, found: Mapping[str, Sequence[Path]]) -> None:
    if TRAIN in found or set(found) == {WHOLE}:
        return
    of = {WHOLE: "of no split"}
    seen = [f"{file.name} {of.get(name, f'as {name}')}" for name in found for file in found[name]]
    others = sorted(each.name for each in root.iterdir() if not each.name.startswith("."))
    shown = ", ".join(seen or others[:_SHOWN]) or "nothing"
    rule = f"has neither a train file nor a single table (found: {shown})"
    fix = (
        "Name the file of the train rows train.csv (or .tsv, .jsonl, .parquet), and unpack archives"
    )
    raise InputError(str(root), rule, fix)


def _require_one_of_each(files: Sequence[Path], split: str) -> None:
    """Refuse files of a split that may hold the same rows, by their names."""
    if len(files) == 1:
        return
    words = [{word for word in words_of(stem_of(each)) if word in SPLIT_WORDS} for each in files]
    names = ", ".join(each.name for each in files)
    if len(set().union(*words)) > 1 or len({each.parent for each in files}) > 1:
        raise InputError(names, f"all name the {split} split in different ways", _RENAME)
    stems = [stem_of(each).lower() for each in files]
    if len(set(stems)) < len(stems):
        rule = f"have the same name{'' if split == WHOLE else f', that of {split},'} in two kinds"
        raise InputError(names, rule, "Keep one file of each name, so that no row is read twice")
