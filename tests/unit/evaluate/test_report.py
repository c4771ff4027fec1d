import base64
import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from components.artifacts.evaluation.comparison import Verdict
from components.artifacts.evaluation.scores import LabelError, Mistake, WordWeight
from components.artifacts.model.history import Trial
from components.evaluate.report import pictures
from components.evaluate.report.page import render
from tests.evaluations import EVALUATION, HISTORY, scores_of
from tests.pages import Page

HOSTILE = "a blue <script>alert(1)</script> & \u202eevil\u202c <img src=x onerror=y>"


def page_of(**changes):
    return Page(render(replace(EVALUATION, **changes), HISTORY))


@pytest.fixture(scope="module")
def page():
    return page_of()


def mistake(text, row=3):
    words = tuple(WordWeight(word, 1.0 - place) for place, word in enumerate(text.split()))
    return Mistake(row, text, "blue", "red", 0.987, words)


def test_the_page_opens_with_the_verdict_and_each_rule(page):
    assert page.text.index("Passed: may be released") < page.text.index("How good is it?")
    for rule in EVALUATION.verdict.rules:
        assert page.text.index(rule.sentence) < page.text.index("How good is it?")


def test_a_failed_verdict_names_the_broken_rules():
    rules = (replace(EVALUATION.verdict.rules[0], passed=False), *EVALUATION.verdict.rules[1:])

    page = page_of(verdict=Verdict(False, rules))

    assert "Failed: must not be released" in page.text
    assert f"breaks 1 of {len(rules)} rules of the gate (min accuracy)" in page.words


def test_a_gate_that_requires_nothing_is_not_claimed_to_be_met():
    page = page_of(verdict=Verdict(True, ()))

    assert "The gate requires nothing. It labels" in page.words


def test_a_rule_without_a_value_is_shown():
    rule = replace(EVALUATION.verdict.rules[0], value=None)

    assert "None" not in page_of(verdict=Verdict(True, (rule,))).text


def test_all_trials_of_a_search_are_there_the_best_first(page):
    trials = (Trial(1, None, {"lora_rank": 8}), Trial(2, 0.8125, {"lora_rank": 32}))
    shown = Page(render(EVALUATION, replace(HISTORY, trials=trials))).text
    assert "A search of 2 trainings" in shown
    assert shown.index("81.2") < shown.index("failed", shown.index("Which settings were tried?"))
    assert "Which settings were tried?" not in page.text


def test_key_figures_of_every_classifier_are_there(page):
    for words in (
        "This model as served (int8)",
        "This model in full precision",
        "The model in service",
        "Trained without synthetic rows",
        "TF-IDF + logistic regression",
        "Most frequent label",
        "As measured by train",
        "Out-of-domain text",
    ):
        assert words in page.text


def test_every_finding_is_shown(page):
    test, bounds = EVALUATION.test, EVALUATION.intervals
    shown = [
        EVALUATION.model_version,
        f"{100 * test.accuracy:.1f}",
        f"{100 * bounds.macro_f1.low:.1f} to {100 * bounds.macro_f1.high:.1f}",
        f"{test.log_loss:.3f}",
        f"{test.brier_score:.3f}",
        f"{test.expected_calibration_error:.4f}",
        f"off by {100 * EVALUATION.uncalibrated_error:.1f}",
        f"temperature is {EVALUATION.temperature:.3f}",
        EVALUATION.champion.run_id,
        EVALUATION.champion.version,
        *(each.sentence for each in EVALUATION.comparisons),
        *(each.name for each in EVALUATION.slices),
        *(each.name for each in EVALUATION.robustness),
        *(each.after for each in EVALUATION.robustness),
        *(each.text for each in EVALUATION.mistakes),
        *(each.text for each in EVALUATION.label_errors),
        "synthetic",
        f"{HISTORY.rows_per_second:.0f} rows per second",
    ]
    assert [each for each in shown if each not in page.words] == []


def test_a_first_model_without_champion_ablation_or_other_text_is_shown():
    page = page_of(champion=None, real_only=None, out_of_domain=None, comparisons=())

    assert "no champion for comparison" in page.text
    for words in ("The model in service", "Trained without synthetic rows", "Out-of-domain"):
        assert words not in page.text


def test_a_champion_of_other_labels_is_named_but_not_scored():
    page = page_of(champion=replace(EVALUATION.champion, scores=None))

    assert "it has other labels" in page.words
    assert "The model in service" not in page.text


def test_a_faultless_model_is_shown():
    page = page_of(mistakes=(), label_errors=(), robustness=(), slices=())

    assert "every row of the test split was labelled correctly" in page.text
    assert "None was found" in page.text


def shades(words):
    """Classes of the marked words of a mistake, without those of the legend."""
    shaded, legend = (
        Counter(mark["class"] for mark in page_of(mistakes=(each,)).all("mark"))
        for each in (replace(mistake("a b c"), words=words), replace(mistake(""), words=()))
    )
    return sorted((shaded - legend).elements())


def test_words_are_shaded_by_how_much_they_mattered():
    words = (WordWeight("for", 4.0), WordWeight("neutral", 0.1), WordWeight("against", -2.8))

    assert shades(words) == ["against-2", "for-3"]


def test_words_without_any_effect_are_not_shaded():
    assert shades((WordWeight("a", 0.0), WordWeight("b", 0.0))) == []


def test_a_mistake_whose_label_may_be_wrong_is_marked_and_not_listed_twice():
    doubtful = LabelError(3, "seen twice", "blue", "red", 0.01, 0.99)

    page = page_of(mistakes=(mistake("seen twice"),), label_errors=(doubtful,))

    assert page.text.count("check the label") == 2
    assert page.words.count("seen twice") == 1
    assert "All 1 candidates are among the mistakes above" in page.text


def test_a_text_cannot_become_markup():
    errors = (LabelError(9, HOSTILE, "blue", "red", 0.01, 0.99),)
    changes = (replace(EVALUATION.robustness[0], before=HOSTILE, after=HOSTILE),)

    page = page_of(mistakes=(mistake(HOSTILE),), label_errors=errors, robustness=changes)

    assert not page.all("script")
    assert {"src": "x", "onerror": "y"} not in page.all("img")
    assert page.words.count(HOSTILE) == 4


def test_texts_are_kept_apart_from_the_direction_of_the_page():
    html = render(replace(EVALUATION, mistakes=(mistake("\u202eevil"),)), HISTORY)

    assert re.search(r'<p class="text" dir="auto"><mark class="for-3">\u202eevil', html)


def test_a_half_surrogate_pair_can_be_written():
    render(replace(EVALUATION, mistakes=(mistake("a \ud800 b"),)), HISTORY).encode()


def test_a_label_cannot_become_markup():
    labels = ("<img src=x>", "green", "blue")
    scores, bounds = scores_of(labels)

    page = page_of(labels=labels, test=scores, intervals=bounds)

    assert {"src": "x"} not in page.all("img")
    assert labels[0] in page.text


def test_the_page_is_self_contained(page):
    names = ("src", "href", "srcset", "action", "data", "poster")
    addresses = [tag[name] for _, tag in page.tags for name in names if name in tag]

    assert len(addresses) == 4
    assert all(address.startswith("data:") for address in addresses)
    assert not {"link", "iframe", "object", "script"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import", render(EVALUATION, HISTORY))


def test_the_page_can_be_read_by_a_screen_reader(page):
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all("scope" in cell for cell in page.all("th"))
    assert all("aria-label" in each for each in page.all("span") if each.get("role") == "img")


def test_the_pictures_of_the_page_are_well_formed():
    found = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", render(EVALUATION, HISTORY))

    assert len(found) == 4
    for each in found:
        assert svg_tag(base64.b64decode(each).decode()).endswith("svg")


def test_the_same_evaluation_gives_the_same_page():
    assert render(EVALUATION, HISTORY) == render(EVALUATION, HISTORY)


@pytest.mark.parametrize("name", ["$\\frac{", "<b>&", "-->", "a" * 63])
def test_a_hostile_label_can_be_drawn(name):
    labels = (name, "green", "blue")
    scores, bounds = scores_of(labels)

    assert svg_tag(pictures.confusion_matrix(scores, labels)).endswith("svg")
    assert svg_tag(pictures.label_bars(scores.per_label, bounds)).endswith("svg")


def svg_tag(svg):
    return ElementTree.fromstring(svg).tag  # noqa: S314 (our own picture)
