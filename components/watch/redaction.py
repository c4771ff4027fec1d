"""Personal data taken out of texts by Presidio, without a language model and without a network.

Its patterns find mail addresses, phone, card and account numbers, addresses of the network and
the like. Names of people and places have no pattern: they stay.

Source: https://microsoft.github.io/presidio/
"""

from collections.abc import Callable
from typing import Any

from components.errors import InputError


def redactor() -> Callable[[str], str]:
    """Load Presidio; returns what replaces personal data by its kind, such as `<PHONE_NUMBER>`.

    Raises:
        InputError: If Presidio is not installed.
    """
    try:
        from presidio_anonymizer import AnonymizerEngine

        analyzer, anonymizer = _analyzer(), AnonymizerEngine()  # type: ignore[no-untyped-call]
    except ImportError as error:
        fix = "Install the extra `watch`, or set redact=false and keep the texts where they may be"
        raise InputError("redact=True", "needs Presidio, which is not installed", fix) from error

    def redacted(text: str) -> str:
        return str(anonymizer.anonymize(text, analyzer.analyze(text, language="en")).text)

    return redacted


def _analyzer() -> Any:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from spacy import blank

    class AnyEmailRecognizer(EmailRecognizer):
        """Presidio's, which would download the internet's top-level domains to check addresses."""

        def validate_result(self, pattern_text: str) -> None:
            """Take what looks like an address for one."""

    # It would download a language model; this one only splits a text into words.
    language: Any = SpacyNlpEngine()
    language.nlp = {"en": blank("en")}
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    for name in ("SpacyRecognizer", EmailRecognizer.__name__):
        registry.remove_recognizer(name)
    registry.add_recognizer(AnyEmailRecognizer())
    return AnalyzerEngine(registry, language, supported_languages=["en"])
