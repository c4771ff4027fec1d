"""Words in the names of files and folders, and the splits that they name.

A split's name stands in a file's name as a word of its own: `emotions_train.csv`, `test-2.tsv`,
`evalData.json`, or in that of its folder. The words are those of the hub's own rule.

Source: https://huggingface.co/docs/hub/datasets-file-names-and-splits
"""

import re
import unicodedata
from pathlib import Path

from components.artifacts.dataset import TEST, TRAIN, VALIDATION
from components.merge.reading.tables import kind_of

WHOLE = "all"
"""Name of the only table of a data set that is not split yet."""

SPLIT_WORDS = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "eval": TEST,
    "evaluation": TEST,
}
"""The words that name a split, and the split of each."""

# SemEval and its like are names of data sets.
_BENCHMARK = r"(?:(?<=Sem)|(?<=Sens)|(?<=Sent)|(?<=Tweet)|(?<=Emo)|(?<=Glue))Eval"
_BETWEEN_WORDS = re.compile(rf"[\W\d_]+|(?<=[a-z])(?=[A-Z])(?!{_BENCHMARK})")

_PARTS_OF_A_SET = re.compile(r"data|datasets?|raw|processed|csv|parquet|splits?")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, without digits; full width letters are as plain ones."""
    plain = unicodedata.normalize("NFKC", name)
    return [word.lower() for word in _BETWEEN_WORDS.split(plain) if word]


def split_of(name: str) -> str | None:
    """The split whose name stands in a name; None if it names none, or several."""
    splits = {SPLIT_WORDS[word] for word in words_of(name) if word in SPLIT_WORDS}
    return splits.pop() if len(splits) == 1 else None


def stem_of(file: Path) -> str:
    """The name of a readable file without what tells its kind and compression."""
    return file.name[: file.name.lower().rindex(kind_of(file))]


def with_parent(folder: Path) -> list[Path]:
    """The folder of rows, and the one above if it is one part of a data set, or of a clone.

    The folder above any other may be one of several data sets, and its files about another.
    """
    words = words_of(folder.name)
    is_part = _PARTS_OF_A_SET.fullmatch(folder.name.lower()) or SPLIT_WORDS.keys() >= set(words)
    is_cloned = (folder.parent / ".git").exists()
    return [folder, folder.parent] if (words and is_part) or is_cloned else [folder]
