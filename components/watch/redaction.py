"""Personal data taken out of texts by Presidio, without a language model.

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
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
        from presidio_anonymizer import AnonymizerEngine
        from spacy import blank
    except ImportError as error:
        fix = "Install the extra `watch`, or set redact=false and keep the texts where they may be"
        raise InputError("redact=True", "needs Presidio, which is not installed", fix) from error
    # It would download a language model; this one only splits a text into words.
    language: Any = SpacyNlpEngine()
    language.nlp = {"en": blank("en")}
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry, language, supported_languages=["en"])
    anonymizer = AnonymizerEngine()

    def redacted(text: str) -> str:
        found = analyzer.analyze(text, language="en")
        return str(anonymizer.anonymize(text, found).text)

    return redacted
