"""From an LLM's answer to candidates."""

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from components.generate.answers.parse import Candidate, candidates, candidates_in
from tests.fuzz.limits import bounded

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
OBJECTS = st.fixed_dictionaries({"text": TEXTS}, optional={"label": TEXTS})
ARRAYS = st.lists(TEXTS | OBJECTS, min_size=1)
PREFIXES = st.text("ab \n.,:0[]{}'`", max_size=30)
SUFFIXES = st.text("ab \n.,:0'`", max_size=30)
PIECES = st.sampled_from(
    [
        *(
            '["a", ',
            '"text": ',
            '"joy": [',
            "['it's', ",
            '"',
            "'",
            ",",
            ":",
            "[",
            "]",
            "{",
            "}",
            "\n",
        ),
        *(
            "\n1. a b",
            "\n- a",
            "Here they are:",
            "<think>",
            "</think>",
            "```json\n",
            "<|channel|>final",
        ),
        *(
            "<text>",
            "</text>",
            "<item>",
            "```csv\n",
            "text,label\n",
            "| text |",
            "|---|\n",
            "- text: ",
        ),
        *("A b c.\n", "sadness:\n", "Sorry, ", "# ", "**"),
        *(
            "\\",
            "\\u26",
            "\ud800",
            "\u201ca\u201d",
            "// x\n",
            "null",
            "1e999",
            "I can't",
            "\x00",
            "NaN",
        ),
    ]
)
ANSWERS = st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join)
DEEP = 5000


def texts(answer):
    return [candidate.text for candidate in candidates_in(answer)]


@given(ARRAYS, PREFIXES, SUFFIXES, st.booleans())
def test_an_array_is_found_whole_in_prose(array, prefix, suffix, ascii_only):
    block = json.dumps(array, ensure_ascii=ascii_only)
    expected = list(candidates(array))
    # What stands in brackets alone is a placeholder, "[sentence]".
    assume(not any(re.fullmatch(r"\[.*\]|<.*>", each.text, re.DOTALL) for each in expected))
    if expected:
        assert candidates_in(prefix + block + suffix)[-len(expected) :] == expected


@given(st.lists(TEXTS), st.booleans(), st.data())
def test_of_a_cut_off_array_the_whole_texts_are_found(array, ascii_only, data):
    block = json.dumps(array, ensure_ascii=ascii_only)
    cut = data.draw(st.integers(0, len(block) - 1))
    ends = [len(json.dumps(array[:n], ensure_ascii=ascii_only)) - 1 for n in range(len(array) + 1)]
    whole = sum(end <= cut for end in ends[1:])
    assert texts(block[:cut]) == [text.strip() for text in array[:whole]]


@given(st.text() | st.text('[]{}",:\\u1a tn') | ANSWERS, st.booleans())
def test_no_answer_is_too_strange(answer, is_whole):
    found = candidates_in(answer, ("joy",), is_whole=is_whole)
    assert all(isinstance(each.text, str) for each in found)


@settings(max_examples=settings.default.max_examples // 20)
@given(st.lists(PIECES, min_size=1, max_size=4).map("".join), ANSWERS)
def test_what_is_said_over_and_over_comes_to_an_end(unit, end):
    with bounded(seconds=60):
        texts(unit * (200_000 // max(1, len(unit))) + end)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('First ["a"], no, better {"texts": ["b", "c"]}.', ["b", "c"]),
        ('```json\n["a", "b"]\n```', ["a", "b"]),
        ('```\n[{"text": "a"}]\n```\nI hope this helps!', ["a"]),
        ('{"result": {"items": [["a"], [{"text": "b"}]]}}', ["a", "b"]),
        ('["naïve 漢字 \\u00e9 🎉"]', ["naïve 漢字 é 🎉"]),
        ('[{"text": "a"}, {"text": "b", "lab', ["a"]),
        ('{"texts": ["a", "b', ["a"]),
        ('["a", "cut off in an escape \\u26', ["a"]),
        ("[" + "1" * 5000 + ', "a"]', ["a"]),
        ("Sorry, I cannot.", []),
        ("", []),
        # What it thought first.
        ('<think>["draft"]</think>["a", "b"]', ["a", "b"]),
        ('the template opened it: ["draft"]</think>["a"]', ["a"]),
        ('<think>perhaps ["a", "b"], or rather', []),
        ('[THINK]["draft"][/THINK]["a"]', ["a"]),
        # Several blocks that are one.
        ('{"text": "a"}\n{"text": "b"}\n{"text": "c"}', ["a", "b", "c"]),
        ('["a"],\n["b"],\n["c"]', ["a", "b", "c"]),
        ('```json\n["a"]\n```\n\n```json\n["b"]\n```', ["a", "b"]),
        ('1. ["a"]\n2. ["b"]', ["a", "b"]),
        # A remark with brackets behind the texts.
        ('["a", "b"]\nEach has [15, 140] characters.', ["a", "b"]),
        ('["a", "b"] [1]', ["a", "b"]),
        ('["a", "b"]\n{"label": "anger"}', ["a", "b"]),
        ('["a"]\n{"note": "as asked"}', ["a"]),
        # Keys that only number the texts, and a key of their own.
        ('{"1": "a", "2": "b"}', ["a", "b"]),
        ('{"text1": "a", "text2": "b"}', ["a", "b"]),
        ('[{"tweet": "a"}, {"tweet": "b"}]', ["a", "b"]),
        ('{"response": "a"}', ["a"]),
        # JSON in a string of JSON.
        (json.dumps(json.dumps(["a", "b"])), ["a", "b"]),
        (json.dumps([json.dumps(["a", "b"])]), ["a", "b"]),
        (json.dumps({"answer": json.dumps({"texts": ["a"]})}), ["a"]),
        # JSON but for a slip.
        ('["a", "b",]', ["a", "b"]),
        ('[\n  "a",\n  "b",\n]', ["a", "b"]),
        ('{"texts": ["a", "b",],}', ["a", "b"]),
        ('["I can\\\'t go", "b"]', ["I can't go", "b"]),
        ("['it is', 'b']", ["it is", "b"]),
        ("[\u201ca\u201d, \u201cb\u201d]", ["a", "b"]),
        ('["one line\nand another", "b"]', ["one line\nand another", "b"]),
        ('["a tab\there", "b"]', ["a tab\there", "b"]),
        ('["he said "no" to me", "b"]', ['he said "no" to me', "b"]),
        ('["a", // the first\n "b"]', ["a", "b"]),
        ('["a"\n "b"]', ["a", "b"]),
        ('[True, "a", None]', ["a"]),
        # Lists in prose.
        ("Here they are:\n1. a b\n2. c d", ["a b", "c d"]),
        ('1) "a b"\n2) "c d",', ["a b", "c d"]),
        ("- a b\n- c d\n", ["a b", "c d"]),
        ("I cannot do that.\n- sorry", []),
        (
            "1. I'm so angry that he didn't come\n2. he isn't",
            ["I'm so angry that he didn't come", "he isn't"],
        ),
        ('1. She said "no" and I said "fine"\n2. b', ['She said "no" and I said "fine"', "b"]),
        ("Here are two texts:\n* a b\n* c d", ["a b", "c d"]),
        ("I won't. What I could do instead:\n1. offer help\n2. rewrite it", []),
        ("The user wants:\n- a b\n- c d\nSo I will write them.", []),
        # Thoughts by other names.
        ('<THINKING>["draft"]</THINKING>["a"]', ["a"]),
        ('<reasoning>["draft"], or', []),
        ('\u25c1think\u25b7["draft"]', []),
        ('<|channel|>analysis<|message|>["draft"] <|channel|>final<|message|>["a"]', ["a"]),
        ('["a", "b"]<think>good</think>', ["a", "b"]),
        ('{"reasoning": ["first", "then"], "texts": ["a"]}', ["a"]),
        ('{"topics": ["work"], "summary": "both", "texts": ["a"]}', ["a"]),
        # Remarks that are JSON, and what stands beside a text.
        ('["a"]\n{"summary": "Both show it."}', ["a"]),
        ('["a"]\n{"type": "array", "items": {"type": "string"}}', ["a"]),
        ('[{"id": 1, "tweet": "a"}, {"id": 2, "tweet": "b"}]', ["a", "b"]),
        ('{"1": "a", "2": "b", "note": "x"}', ["a", "b"]),
        ('["a", "b"]\n["c", "d', ["a", "b", "c"]),
        # Remarks beside the texts, of a word each, or what the texts are told in.
        ('["so it goes", "b"]\n\nTopics: ["work", "home"]', ["so it goes", "b"]),
        ('{"message": "Here they are", "texts": ["a", "b"]}', ["a", "b"]),
        ('{"content": ["a"], "message": "as asked"}', ["a"]),
        ('[{"tweet": "so it goes", "author": "me"}]', ["so it goes"]),
        ('{"name": "write", "arguments": {"texts": ["a"]}}', ["a"]),
        ('{"type": "array", "items": ["a", "b"]}', ["a", "b"]),
        ('Text 1:\n```json\n["a"]\n```\nText 2:\n```json\n["b"]\n```', ["a", "b"]),
        # Quotes and commas of other languages.
        ("[\u00aba\u00bb, \u00abb\u00bb]", ["a", "b"]),
        ("[\u201ea\u201c, \u201eb\u201c]", ["a", "b"]),
        ('["\u6211"\uff0c"\u4f60"]', ["\u6211", "\u4f60"]),
        # Lists of other forms, and a line behind.
        ("1. a b\n2. c d\n\nLet me know if you want more!", ["a b", "c d"]),
        ("**1.** a b\n**2.** c d", ["a b", "c d"]),
        ("Text 1: a b\nText 2: c d", ["a b", "c d"]),
        ("1\u3001\u6211\n2\u3001\u4f60", ["\u6211", "\u4f60"]),
        ('"a b"\n"c d",', ["a b", "c d"]),
        ("1. a b\n2. c d\nThen I will go on.", []),
        # More names of thoughts.
        ('<scratchpad>["draft"] or', []),
        ('<|channel>thought\n["draft"]<channel|>["a"]', ["a"]),
        ('My steps: ["draft"]\n[BEGIN FINAL RESPONSE]\n["a"]', ["a"]),
        ("[think]x[/think]1. a b\n2. c d", ["a b", "c d"]),
        ("<|think|>- a b\n- c d", []),
        ('["draft"]\u25c1/think\u25b7["a"]', ["a"]),
        ('<|begin_of_thought|>["draft"]<|end_of_thought|><|begin_of_solution|>["a"]', ["a"]),
        (
            '<|channel|>analysis<|message|>["d"]<|channel|>final<|message|>- a b\n- c d<|return|>',
            ["a b", "c d"],
        ),
        ('analysisWe need ["draft"].assistantfinal["a"]', ["a"]),
        ('analysisWe need ["draft"]', []),
        ('<details type="reasoning" done="true">["draft"]</details>["a"]', ["a"]),
        ("<think>\nThey want:\n- a b c\n- d e f", []),
        ("They want:\n- a b c\n- d e f\n</think>", []),
        # What no repair understands.
        ("{\u201c```json[```}", []),
        ('I feel [so] "sad" [today].', []),
    ],
)
def test_answers_of_all_kinds(answer, expected):
    assert texts(answer) == expected


@pytest.mark.parametrize("unit", ["[", '["', '{"a":', "[1,", "[]", '["a"', "{", '{"a":1,'])
def test_a_megabyte_of_nonsense_comes_to_an_end(unit):
    assert all(isinstance(text, str) for text in texts(unit * (1_000_000 // len(unit))))


def test_a_block_after_much_prose_is_found():
    assert texts("[so it goes] " * 100_000 + '["a"]') == ["a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" a ", [Candidate("a")]),
        ({"text": " a "}, [Candidate("a")]),
        ({" Sentence": "a", "EMOTION": "joy"}, [Candidate("a", "joy")]),
        ({"content": "a", "Class": "fear"}, [Candidate("a", "fear")]),
        ({"example": "a", "category": 3}, [Candidate("a")]),
        ({"text": 1, "value": "a"}, [Candidate("a")]),
        ([["a", "b"], ["c"]], [Candidate("a"), Candidate("b"), Candidate("c")]),
        ({"x": {"y": ["a"]}, "z": ["b"]}, [Candidate("a"), Candidate("b")]),
        ({"joy": "a"}, [Candidate("a")]),
        ({"joy": "a", "fear": "b"}, []),
        ({"label": "a"}, []),
        ([1, None, True, 2.5], []),
        (None, []),
    ],
)
def test_candidates_in_values_of_all_shapes(value, expected):
    assert list(candidates(value)) == expected


def test_candidates_are_found_however_deep():
    value = ["a"]
    for _ in range(DEEP):
        value = [value]
    assert list(candidates(value)) == [Candidate("a")]


@pytest.mark.parametrize(
    "answer",
    [
        '{"anger": ["a", "b"], "joy": ["c"]}',
        '[{"anger": "a"}, {"anger": "b"}, {"joy": "c"}]',
        '{"Anger": "a", "texts": {"anger": ["b"]}, "joy": "c"}',
    ],
)
def test_a_key_of_a_label_gives_its_texts_the_label(answer):
    expected = [Candidate("a", "anger"), Candidate("b", "anger"), Candidate("c", "joy")]
    assert candidates_in(answer, ("anger", "joy")) == expected


def test_a_label_beside_a_list_is_that_of_its_texts():
    answer = '[{"emotion": "joy", "texts": ["a", "b"]}, {"label": "fear", "sentences": ["c"]}]'
    assert candidates_in(answer) == [
        *(Candidate("a", "joy"), Candidate("b", "joy")),
        Candidate("c", "fear"),
    ]


def test_of_a_list_that_is_cut_off_the_last_item_is_left_out():
    answer = "1. one whole text\n2. another\n3. I am abso"
    assert [each.text for each in candidates_in(answer, is_whole=False)] == [
        *("one whole text", "another"),
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('The user wants two texts. Perhaps ["a", "b"], or', []),
        ('The user wants two texts. Perhaps ["a", "b', []),
        ('Here are two texts:\n["a", "b"]\nThey are', ["a", "b"]),
        ('Sure!\n\n```json\n["a", "b', ["a"]),
    ],
)
def test_what_was_thought_when_an_answer_was_cut_off_is_no_answer(answer, expected):
    assert [each.text for each in candidates_in(answer, is_whole=False)] == expected


@pytest.mark.parametrize("unit", ['["a" ', "['", '[{"', '{"a" "b" ', "[{", '"a",,'])
def test_the_repair_of_nonsense_comes_to_an_end(unit):
    for length in (7_900, 40_000):
        assert all(isinstance(text, str) for text in texts(unit * (length // len(unit)) + "]"))
