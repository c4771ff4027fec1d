"""A check for texts that are surely not in the wanted language."""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from components.errors import InputError

# Languages with little written text (Pidgin, Breton) attract short English sentences.
_COMMON = {
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id"),
    *("it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi"),
}
_MIN_WORDS = 4
_MAX_PROBABILITY = 0.05


class LanguageCheck:
    """Finds texts in another language than the wanted one; in doubt a text is in the wanted one.

    Args:
        language: ISO 639-1 code that py3langid knows.

    Raises:
        InputError: If it knows no such language.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._identifier = _identifier(language)

    def is_other(self, text: str) -> bool:
        """Tell if the text is long enough to judge, and the wanted language is improbable."""
        if len(text.split()) < _MIN_WORDS:
            return False
        likeliest, _ = self._identifier.classify(text)
        if likeliest == self._language:
            return False
        return bool(dict(self._identifier.rank(text))[self._language] < _MAX_PROBABILITY)


@cache
def _identifier(language: str) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if language not in identifier.labels:
        known = ", ".join(sorted(identifier.labels))
        fix = f'Use "" for no check or one of: {known}'
        raise InputError(f"language={language!r}", "is not known to py3langid", fix)
    identifier.set_languages(_COMMON | {language})
    return identifier
