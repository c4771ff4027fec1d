"""The texts that a student learns from."""

from collections.abc import Sequence

from components import storage
from components.errors import InputError
from components.storage.files import MOST_TEXT_BYTES
from components.train.distillation.variants import varied
from components.train.settings import TrainSettings


def texts_of(labelled: Sequence[str], settings: TrainSettings) -> list[str]:
    """Collect the texts of a student's training: those with labels, those without, and variants.

    Args:
        labelled: Texts of the train rows.
        settings: `unlabelled_texts` names more, and `student_variants` says how many are made.

    Raises:
        InputError: If the file of unlabelled texts cannot be read, or holds none.
    """
    texts = [*labelled, *read_unlabelled(settings)]
    return [*texts, *varied(texts, settings.student_variants, settings.seed)]


def read_unlabelled(settings: TrainSettings) -> list[str]:
    """Read the file of unlabelled texts; none if the settings name none.

    Raises:
        InputError: If it is missing, too large or no text file, or holds none.
    """
    location = settings.unlabelled_texts
    if not location:
        return []
    thing = f"unlabelled_texts {location}"
    limit = MOST_TEXT_BYTES // 2**20
    fix = f"Give a UTF-8 file of at most {limit} MiB with a text per line"
    try:
        content = storage.read_text(location)
    except InputError as error:
        raise InputError(thing, error.rule, fix) from error
    texts = [line for line in content.removeprefix("\ufeff").split("\n") if line.strip()]
    if not texts:
        raise InputError(thing, "holds no text", fix)
    return texts
