import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from components.evaluate import pictures
from components.evaluate.compare import MAJORITY, TFIDF
from components.evaluate.evaluation import Evaluation
from components.evaluate.gate import judge
from components.evaluate.inputs import History
from components.evaluate.metrics import score
from components.evaluate.mistakes import Mistake
from components.evaluate.report import render
from components.evaluate.settings import EvaluateSettings

LABELS = ("red", "green", "blue")
TRUTH = np.array([0, 0, 1, 1, 2, 2])
SCORES = score(TRUTH, np.array([0, 0, 1, 1, 2, 0]), LABELS)
POOR = score(TRUTH, np.zeros(6, int), LABELS)
EVALUATION = Evaluation(
    task="colour",
    labels=LABELS,
    test=SCORES,
    validation=SCORES,
    baselines={MAJORITY: POOR, TFIDF: POOR},
    verdict=judge(SCORES, POOR, EvaluateSettings(min_accuracy=0.8, min_macro_f1=0.8)),
    rows={"train": {"real": 11, "synthetic": 31}, "validation": {"real": 6}, "test": {"real": 6}},
    model_version="ab" * 32,
)
HISTORY = History(
    train=[{"step": 1, "epoch": 0.5, "loss": 2.0}, {"step": 2, "epoch": 1.0, "loss": 1.0}],
    validation=[{"epoch": 1, "loss": 1.2, "accuracy": 0.7, "macro_f1": 0.6}],
)
MISTAKES = (Mistake("a blue <script>alert(1)</script> & more", "blue", "red", 0.987),)


class Page(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_says_the_verdict_and_why_before_all_else():
    html = render(EVALUATION, HISTORY, MISTAKES)

    assert html.index("Passed") < html.index("reaches the required") < html.index("Key figures")


def test_a_failed_verdict_is_said():
    verdict = judge(SCORES, POOR, EvaluateSettings(min_accuracy=0.9))

    html = render(replace(EVALUATION, verdict=verdict), HISTORY, MISTAKES)

    assert "Failed" in html
    assert "is below the required 0.9000" in html


def test_a_text_cannot_become_markup():
    page = Page(render(EVALUATION, HISTORY, MISTAKES))

    assert not page.all("script")
    assert MISTAKES[0].text in page.text


def test_a_label_cannot_become_markup():
    labels = ("<img src=x>", "green", "blue")
    scores = score(TRUTH, TRUTH, labels)

    page = Page(render(replace(EVALUATION, labels=labels, test=scores), HISTORY, ()))

    assert {"src": "x"} not in page.all("img")
    assert labels[0] in page.text


def test_the_page_needs_nothing_from_elsewhere():
    page = Page(render(EVALUATION, HISTORY, MISTAKES))

    addresses = [
        attributes[name]
        for _, attributes in page.tags
        for name in ("src", "href")
        if name in attributes
    ]
    assert len(addresses) == 2
    assert all(address.startswith("data:") for address in addresses)
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}


def test_the_page_can_be_read_by_a_screen_reader():
    page = Page(render(EVALUATION, HISTORY, MISTAKES))

    assert page.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in page.all("img"))


def test_the_pictures_of_the_page_are_well_formed():
    html = render(EVALUATION, HISTORY, MISTAKES)

    found = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", html)
    assert len(found) == 2
    for each in found:
        assert svg_tag(base64.b64decode(each).decode()).endswith("svg")


def test_the_same_evaluation_gives_the_same_page():
    assert render(EVALUATION, HISTORY, MISTAKES) == render(EVALUATION, HISTORY, MISTAKES)


@pytest.mark.parametrize("name", ["$\\frac{", "<b>&", "-->", "a" * 63])
def test_a_hostile_label_can_be_drawn(name):
    assert svg_tag(pictures.confusion_matrix([[3, 1], [0, 0]], [name, "other"])).endswith("svg")


def svg_tag(svg):
    return ElementTree.fromstring(svg).tag  # noqa: S314 (our own picture)
