import base64
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.dataset import Description
from components.merge import pictures
from components.merge.ledgers import LedgerSummary, Rejection, read_ledgers
from components.merge.report import DataReport, render
from tests.pages import Page

LABELS = ("red", "green")
MODEL = "package:models/tiny.gguf@sha256:" + "ab" * 32
HOSTILE = 'a <script>alert(1)</script> & "more" \'\u202e \ud800 \x00'


def frame(*rows):
    return pd.DataFrame(rows, columns=["text", "label", "source", "model"])


SPLITS = {
    "train": frame(
        ("a rose is red", 0, "real", None),
        ("the grass is green and tall", 1, "real", None),
        ("the grass is green and short", 1, "synthetic", MODEL),
        ("blood is red", 0, "synthetic", MODEL),
    ),
    "validation": frame(("a ripe tomato", 0, "real", None)),
    "test": frame(("a frog in a pond", 1, "real", None)),
}
REMOVED = pd.DataFrame(
    [("a ripe tomato", 0, "real", "in_other_split"), (HOSTILE, 1, "real", "repeated")],
    columns=["text", "label", "source", "reason"],
)
SHARES = {"rows": 2, "agree_share": 0.5, "mean_probability": 0.625}
AGREEMENT = {
    "classifier_accuracy": 0.75,
    "by_label": dict.fromkeys(LABELS, SHARES),
    "by_model": {MODEL: SHARES},
    "distinct_2_before": 0.8,
    "distinct_2_after": 0.9,
}
REPORT = DataReport(
    Description(
        task="colour",
        labels=LABELS,
        rows={},
        removed={"in_other_split": 1, "repeated": 1},
        checks={
            "leak_share": {"value": 0.0125, "limit": 0.05, "passed": True},
            "conflicts": {"value": 3, "limit": 2, "passed": False},
        },
        agreement=AGREEMENT,
    ),
    splits=SPLITS,
    removed=REMOVED,
    ledger=LedgerSummary(rejections=(Rejection("too short", 1234, (HOSTILE,)),)),
)


def with_description(report=REPORT, **fields):
    return replace(report, description=replace(report.description, **fields))


ONLY_REAL = replace(
    with_description(agreement={}),
    splits={name: rows[rows["source"] == "real"] for name, rows in SPLITS.items()},
    ledger=LedgerSummary(),
)


def line(kind, **fields):
    return {"kind": kind, "label": "red", "model": "one", "turn": 0, **fields}


def answer(**fields):
    numbers = {"prompt_tokens": 10, "completion_tokens": 5, "seconds": 1.5}
    return line("answer", fingerprint="f", raw="", finish_reason="stop", **{**numbers, **fields})


def candidate(text, reason="", **fields):
    verdict = "rejected" if reason else "accepted"
    return line("candidate", text=text, verdict=verdict, reason=reason, **fields)


LINES = [
    answer(),
    candidate("a b a b"),
    candidate("x", "too short"),
    answer(turn=1),  # gave nothing
    answer(turn=2),
    answer(turn=3),  # arrives before the last one's candidates are judged
    candidate("c d", turn=2),
    candidate("x", "too short", turn=3),
    candidate("y", "too short", turn=3),
    candidate("z", "too short", turn=3),
    candidate("w", "too short", turn=3),
    candidate("c d", "duplicate", turn=3),
    answer(model="two", seconds=2),
    candidate("q", "too short", model="two"),
]


def ledger_of(folder, lines):
    path = folder / "ledger.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    return path


@pytest.fixture
def ledger(tmp_path):
    return ledger_of(tmp_path, LINES)


@pytest.fixture(scope="module")
def html():
    return render(REPORT)


def test_a_ledger_is_added_up_by_model(ledger):
    one, two = read_ledgers([ledger]).models

    assert (one.model, one.answers, one.parsed) == ("one", 4, 3)
    assert (one.candidates, one.accepted) == (8, 2)
    assert (one.prompt_tokens, one.completion_tokens, one.seconds) == (40, 20, 6.0)
    assert (one.tokens_per_accepted, one.seconds_per_accepted) == (30, 3)
    assert one.accepted_share == 2 / 8
    assert one.distinct_2 == 3 / 4  # a b, b a, a b; c d
    assert (two.answers, two.parsed, two.accepted, two.accepted_share) == (1, 1, 0, 0)
    assert two.tokens_per_accepted is two.seconds_per_accepted is None


def test_rejections_are_counted_and_the_first_three_texts_shown(ledger):
    assert read_ledgers([ledger]).rejections == (
        Rejection("too short", 6, ("x", "y", "z")),
        Rejection("duplicate", 1, ("c d",)),
    )


def test_several_ledgers_are_added(ledger):
    once, twice = read_ledgers([ledger]), read_ledgers([ledger, ledger])

    assert [each.parsed for each in twice.models] == [2 * each.parsed for each in once.models]
    assert [each.count for each in twice.rejections] == [12, 2]
    assert read_ledgers([]) == LedgerSummary()


def test_the_same_request_answered_twice_counts_twice(tmp_path):
    path = tmp_path / "ledger.jsonl"
    lines = [answer(), candidate("one two"), answer(), candidate("three four")]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    assert read_ledgers([path]).models[0].parsed == 2


@given(data=st.data())
def test_a_ledger_cut_off_anywhere_is_read_but_for_the_broken_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "ledger.jsonl"
    content = "".join(json.dumps(each) + "\n" for each in LINES).encode()
    end = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:end])

    summary = read_ledgers([path])

    whole = content[:end].count(b"\n") + (content[end : end + 1] == b"\n")
    read = sum(each.answers + each.candidates for each in summary.models)
    assert read == whole
    assert summary.unreadable_lines == (end > 0 and content[end - 1 : end + 1].count(b"\n") == 0)


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"[]\n", b"7\n", b'{"kind": "other"}\n', b"\n"])
def test_lines_that_are_no_records_are_counted_and_left_out(ledger, content):
    expected = read_ledgers([ledger])
    ledger.write_bytes(content + ledger.read_bytes())

    assert read_ledgers([ledger]) == replace(expected, unreadable_lines=1)


def test_a_server_that_counts_no_tokens_can_be_added(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps(answer(prompt_tokens=None)), encoding="utf-8")

    assert read_ledgers([path]).models[0].tokens == 5


def test_a_text_cannot_become_markup():
    splits = {name: rows.assign(text=HOSTILE) for name, rows in SPLITS.items()}

    page = Page(
        render(
            with_description(replace(REPORT, splits=splits), optimistic_validation_reason=HOSTILE)
        )
    )

    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count("<script>alert(1)</script> &") >= 6


def test_names_cannot_become_markup():
    bad = "<img src=x>"
    splits = {name: rows.assign(model=bad) for name, rows in SPLITS.items()}
    labels, checks = (bad, "$\\frac{"), {bad: REPORT.description.checks["conflicts"]}
    description = Description(task=bad, labels=labels, rows={}, checks=checks)
    report = DataReport(description, splits, REMOVED)

    page = Page(render(report))

    assert {"src": "x"} not in [attributes for _, attributes in page.tags]
    assert page.text.count(bad) >= 5


def test_the_page_needs_nothing_from_elsewhere(html):
    page = Page(html)

    sources = [each[name] for _, each in page.tags for name in ("src", "href") if name in each]
    assert len(sources) == 2
    assert all(source.startswith("data:") for source in sources)
    assert "default-src 'none'" in html
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(each["alt"] for tag, each in page.tags if tag == "img")


def test_the_pictures_are_well_formed(html):
    found = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", html)

    assert len(found) == 2
    assert all(svg_tag(base64.b64decode(each).decode()).endswith("svg") for each in found)


def test_the_same_data_give_the_same_page(html):
    assert render(REPORT) == html


def test_the_page_can_be_written_as_utf8(html):
    assert "alert(1)" in html.encode("utf-8").decode()


def test_the_page_says_which_checks_failed(html):
    page = Page(html)
    marks = [
        each["aria-label"] for _, each in page.tags if each.get("class", "").startswith("mark")
    ]

    assert "1 of 2 checks failed" in page.text
    assert marks == ["passed", "failed"]
    assert "leak share" in page.text
    passed = {"leak_share": REPORT.description.checks["leak_share"]}
    assert "Passed: the check" in Page(render(with_description(checks=passed))).text


def test_the_page_counts_rows_by_split_and_source(html):
    text = " ".join(Page(html).text.split())

    assert "6 rows under 2 labels: 4 real, 2 synthetic; 2 removed" in text
    assert "train 2 2 4 validation 1 0 1 test 1 0 1" in text


def test_removed_rows_are_counted_in_full_if_only_some_are_given():
    counts = {"repeated": 4321, "in_other_split": 1, "invalid": 0}

    text = " ".join(Page(render(with_description(removed=counts))).text.split())

    assert "4,322 removed" in text
    assert "repeated 4,321" in text
    assert "invalid" not in text


def test_the_nearest_real_row_is_shown_with_its_split_and_label(html):
    text = " ".join(Page(html).text.split())

    assert (
        "the grass is green and short synthetic, green "
        "the grass is green and tall real train row, green" in text
    )


def test_models_are_shown_with_yield_cost_and_agreement(ledger):
    summary = read_ledgers([ledger])
    agreement = {**AGREEMENT, "by_model": {"one": SHARES}}

    report = replace(with_description(agreement=agreement), ledger=summary)
    text = " ".join(Page(render(report)).text.split())

    assert "one 3/4 2/8 25.0 % 40 + 20 30 each 6 3.0 each 0.750 50.0 % 0 two" in text
    assert "two 1/1 0/1 0.0 % 10 + 5 none accepted 2 none accepted 0.000" in text
    assert f"tiny.gguf: {MODEL}" in text


JUDGE = {"judge": "https://host/v1#big", "rows": 120, "right": 102, "heard": True}
COST = {"prompt_tokens": 90, "completion_tokens": 1, "seconds": 0.5}


def test_judges_are_shown_with_what_they_are_worth_and_cost(tmp_path):
    opinion = {"kind": "opinion", "judge": JUDGE["judge"], "text": "a b", **COST}
    chances = {"red": 0.75, "green": 0.25}
    lines = [
        {"kind": "judge", **JUDGE},
        {**opinion, "probabilities": chances},
        {**opinion, "probabilities": {}},
        {**candidate("a b", "judged otherwise"), "label_probabilities": chances},
    ]
    path = ledger_of(tmp_path, lines)
    summary = read_ledgers([path])

    assert summary.unreadable_lines == 0
    text = " ".join(Page(render(replace(with_description(), ledger=summary))).text.split())
    assert "v1#big one 102/120 85.0 % yes 2 1 without an opinion 182 1" in text
    assert "judged otherwise 1 a b" in text
    assert "Judges" not in Page(render(REPORT)).text


def test_rounds_are_shown_with_what_they_gained_and_aimed_at(tmp_path):
    scores = {"model": "one", "rows": 40, "accuracy": 0.8, "macro_f1": 0.75}
    before = {**scores, "number": 0, "accepted": {"red": 0}, "confused": {}}
    after = {**scores, "number": 1, "accepted": {"red": 3, "green": 4}, "macro_f1": 0.8125}
    lines = [
        {"kind": "round", **before},
        {"kind": "round", **after, "confused": {"red": {"green": 2}, "green": {"red": 5}}},
    ]
    path = ledger_of(tmp_path, lines)
    summary = read_ledgers([path])

    assert summary.unreadable_lines == 0
    text = " ".join(Page(render(replace(with_description(), ledger=summary))).text.split())
    assert "one before 0 80.0 % 0.750" in text
    assert "one 1 7 80.0 % 0.812 green as red (5), red as green (2)" in text
    assert "40 real train rows that were held out" in text


def test_attributes_are_shown_by_what_was_accepted_and_not_left_out_again(tmp_path):
    lines = [
        {**candidate("a b"), "length": "short"},
        {**candidate("c d"), "length": "short"},
        {**candidate("e f"), "length": "long"},
        {**candidate("g h", "too short"), "length": "long"},
        {**candidate("c d", "surplus"), "length": "short"},
    ]
    path = ledger_of(tmp_path, lines)
    (model,) = read_ledgers([path]).models

    assert model.attributes["length"] == {"short": 1, "long": 1}
    assert (model.candidates, model.texts) == (4, ["a b", "e f"])
    text = " ".join(
        Page(render(replace(with_description(), ledger=read_ledgers([path])))).text.split()
    )
    assert "length 2 short 1 long 1" in text


def test_models_of_the_same_short_name_are_told_apart():
    other = MODEL.replace("models", "others")
    agreement = {**AGREEMENT, "by_model": {MODEL: SHARES, other: SHARES}}

    page = Page(render(with_description(agreement=agreement)))

    assert page.text.count(MODEL) == page.text.count(other) == 1
    assert "tiny.gguf:" not in page.text


def test_without_synthetic_rows_the_page_says_so():
    text = Page(render(ONLY_REAL)).text

    assert "There are no synthetic rows" in text
    assert "Not measured" in text
    assert "nothing is known of the models" in text
    assert "4 real" in text


def test_what_could_not_be_measured_is_left_open():
    unknown = {"rows": 1, "agree_share": None, "mean_probability": None}
    agreement = {
        "classifier_accuracy": None,
        "by_label": {"green": unknown},
        "by_model": {MODEL: unknown},
        "distinct_2_before": None,
        "distinct_2_after": None,
    }

    text = " ".join(Page(render(with_description(agreement=agreement))).text.split())

    assert "Mean probability green 1 \u2013 \u2013" in text
    assert "It is itself right on" not in text
    assert "before filtering" not in text


def test_an_optimistic_validation_split_is_said(html):
    sentence = "The scores may flatter."

    assert sentence in render(with_description(optimistic_validation_reason=sentence))
    assert 'class="warning' not in html


@pytest.mark.parametrize("count", [2, 20])
def test_few_and_many_labels_can_be_shown(count):
    labels = [f"label-{number}" for number in range(count)]

    text = Page(render(with_description(labels=labels))).text

    assert f"under {count} labels" in text


def test_the_tick_labels_of_a_bar_are_no_formulas():
    svg = pictures.rows_by_label({("train", "real"): [3, 0]}, ["$\\frac{", "<b>&" * 20])

    assert svg_tag(svg).endswith("svg")


@pytest.mark.parametrize("words", [[1], [100_000], [1, 1, 100_000], [30, 31]])
def test_texts_of_any_length_can_be_drawn(words):
    assert svg_tag(pictures.lengths({"real": words, "synthetic": []})).endswith("svg")


def svg_tag(svg):
    return ElementTree.fromstring(svg).tag  # noqa: S314 (our own picture)
