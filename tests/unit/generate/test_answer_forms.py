"""Answers that hold texts, and no JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.generate.answers.parse import Candidate, candidates_in
from tests.fuzz.limits import bounded

LABELS = ("sadness", "joy", "anger")
A, B, C = "I miss her, badly.", "So it goes: again!", "Nobody called me today."
LINES = st.lists(st.sampled_from([A, B, C, "He said no; I left."]), min_size=3, max_size=6)


def texts(answer, *, is_whole=True):
    return [each.text for each in candidates_in(answer, LABELS, is_whole=is_whole)]


def labelled(answer):
    return [(each.text, each.label) for each in candidates_in(answer, LABELS)]


@pytest.mark.parametrize(
    "answer",
    [
        # Tags.
        f"<sentence>{A}</sentence>\n<sentence>{B}</sentence>",
        f'<sentences><sentence id="1">{A}</sentence><sentence id="2">{B}</sentence></sentences>',
        f"Here:\n```xml\n<items>\n  <item>{A}</item>\n  <item>{B}</item>\n</items>\n```\nEnjoy!",
        f"<sample><text>{A}</text></sample>\n<sample><text>{B}</text></sample>",
        f"<sentence1>{A}</sentence1>\n<sentence2>{B}</sentence2>",
        f"<ul>\n<li>{A}</li>\n<li><b>{B}</b></li>\n</ul>",
        f"<utter>{A}</utter><utter>{B}</utter>",
        f"1. <text>{A}</text>\n2. <text>{B}</text>",
        f"<answer><analysis>Two of them.</analysis><text>{A}</text><text>{B}</text></answer>",
        f"<h1>Sentences</h1><p>Here they are:</p><item><![CDATA[{A}]]></item><item>{B}</item>",
        f"<text>{A}</text>\n<text>{B}</text>\n<text>And then he",
        # Separated values.
        f'```csv\ntext,label\n"{A}",sadness\n"{B}",sadness\n```',
        f"```csv\ntext,label\n{A},sadness\n{B},sadness\n```",
        f"Sure:\n\n```csv\ntext\n{A}\n{B}\n```\nThese sentences show sadness.",
        f'id;sentence\n1;"{A}"\n2;{B}',
        f"sentence\tlabel\n{A}\tsadness\n{B}\tsadness",
        f'```csv\n"{A}"\n"{B}"\n```',
        f'```csv\n"{A}",sadness\n"{B}",sadness\n```',
        # Tables of Markdown.
        f"| # | sentence |\n|---|---|\n| 1 | {A} |\n| 2 | {B} |",
        f"Two of them:\n\n| Text | Label |\n| :--- | :---: |\n| {A} | sadness |\n| {B} | Sadness |",
        f'No. | **Sentence**\n--- | ---\n1 | {A}\n2 | "{B}"',
        f"| Sentence |\n| --- |\n| {A} |\n| {B} |",
        f"```markdown\n| Tweet | Why |\n|--|--|\n| {A} | x |\n| {B} | y |\n```",
        # Records.
        f"- text: {A}\n- text: {B}",
        f'```yaml\n- text: {A}\n  label: sadness\n- text: "{B}"\n  label: sadness\n```',
        f"sentences:\n  - {A}\n  - '{B}'",
        f"```yaml\ntexts:\n- text: >-\n    I miss her,\n    badly.\n- text: |\n    {B}\n```",
        f"Text: {A}\nLabel: sadness\n\nText: {B}\nLabel: sadness",
        f"1. **Text:** {A}\n   **Label:** sadness\n2. **Text:** {B}\n   **Label:** sadness",
        f"sadness:\n- {A}\n- {B}",
        # Keys.
        f'{{"{A}": "sadness", "{B}": "sadness"}}',
        f'{{"result": {{"{A}": "Sadness", "{B}": "Sadness"}}}}',
        # Lists in a frame.
        f"```\n1. {A}\n2. {B}\n```",
        f"<answer>\n- {A}\n- {B}\n</answer>",
        f"## Sentences\n1. {A}\n2. {B}",
        f"Sure!\n\nHere are two sentences:\n1. {A}\n2. {B}",
        f'1. "{A}" (sadness)\n2. "{B}" - a short one',
        f"1. **{A}**\n2. *{B}*",
        f'"{A}", "{B}"',
        f"| Text |\n|---|\n| {A} |\n| {B} |\n\nBoth show it well.",
        f"Aqu\u00ed tienes dos frases:\n1. {A}\n2. {B}",
        # Lines.
        f"Here are two sentences:\n\n{A}\n\n{B}",
        f"```text\nThe sentences:\n{A}\n{B}\n```",
    ],
)
def test_two_texts_are_found_in_any_form(answer):
    assert texts(answer) == [A, B]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"{A}\n{B}\n{C}", [A, B, C]),
        (
            "No puedo creer que te vas.\n\u00bfPor qu\u00e9 me dejaste sola?\nTe echo de menos.",
            [
                *("No puedo creer que te vas.", "\u00bfPor qu\u00e9 me dejaste sola?"),
                "Te echo de menos.",
            ],
        ),
        (
            "\u6211\u5f88\u96be\u8fc7\u3002\n\u4ed6\u8d70\u4e86\u3002\n\u6211\u60f3\u5bb6\u4e86\u3002",
            None,
        ),
        ("I lost my dog today \U0001f62d\nCan't stop crying :(\nWorst day ever #sad", None),
        ("I can't believe he left.\nHe never called back.\nI cried all night.", None),
        ("Why did they let me go?\nI needed that job.\nLet them all rot.", None),
        ("Oh no, not again!\nI hate this bus.\nShe said: never mind.", None),
        ("<text>I am &lt;so&gt; sad &amp; tired </3</text>", ["I am <so> sad & tired </3"]),
        ('```csv\ntext\n"A lone quote, and\nI miss her so.\n```', ["I miss her so."]),
        ("- text: I said: no #never\n- text: @you & me *sigh*", None),
        ('```csv\ntext,label\nHe said, "no", and left,joy\n```', ['He said, "no", and left']),
        ('```csv\ntext\n"He said "no" to me."\n```', ['He said "no" to me.']),
        (
            '- "He said "no" to me."\n- "He said \\"yes\\" too."',
            ['He said "no" to me.', 'He said "yes" too.'],
        ),
        ("| text |\n|---|\n| either \\| or not |", ["either | or not"]),
    ],
)
def test_texts_are_found_as_they_are(answer, expected):
    plain = [line.removeprefix("- text: ") for line in answer.splitlines()]
    assert texts(answer) == (expected or plain)


@pytest.mark.parametrize(
    "answer",
    [
        f"<x1><text>{A}</text><label>sadness</label></x1><x2><text>{B}</text><label>joy</label></x2>",
        f"<text>{A}</text><label>sadness</label><text>{B}</text><label>joy</label>",
        f"<sadness><text>{A}</text></sadness><joy><text>{B}</text></joy>",
        f'<text label="sadness">{A}</text><text label="joy">{B}</text>',
        f"<sadness>{A}</sadness><joy>{B}</joy>",
        f"```csv\nlabel,text\nsadness,{A}\njoy,{B}\n```",
        f'```csv\n"{A}",sadness\n"{B}",joy\n```',
        f"| Emotion | Text |\n|---|---|\n| sadness | {A} |\n| joy | {B} |",
        f"- label: sadness\n  text: {A}\n- label: joy\n  text: {B}",
        f"Text: {A}\nEmotion: sadness\nText: {B}\nEmotion: joy",
        f"sadness:\n- {A}\njoy:\n- {B}",
        f"sadness: {A}\njoy: {B}",
        f'{{"{A}": "sadness", "{B}": "joy"}}',
    ],
)
def test_a_text_keeps_the_label_beside_it(answer):
    assert labelled(answer) == [(A, "sadness"), (B, "joy")]


@pytest.mark.parametrize(
    "answer",
    [
        # Refusals.
        "I'm sorry, but I can't help with that.\nI understand it matters.\nPlease take care.",
        "Lo siento, no puedo ayudarte.\nPide otra cosa, por favor.\nEstoy aqu\u00ed para ti.",
        "<answer>I am happy to help you!</answer>",
        f"I cannot do that, but as an example:\n<text>{A}</text>",
        f"I'm sorry, I cannot.\n```csv\ntext\n{A}\n```",
        # Plans and thoughts.
        f"The user wants two texts.\n<text>{A}</text>\nHm, or rather <text>{B}</text>",
        "Okay, the user wants sentences.\nI should write of sadness.\nThat is hard for me.",
        "We should produce two sentences.\nThey must be short and sad.\nLet me write them down.",
        "Requirements:\n- They are short\n- They are sad",
        "Thinking Process:\n1. **Analyze the Request:**\n2. **Draft:** so it goes",
        "- Label: sadness\n- Content: about the workplace",
        "Here's the plan:\n- Between 15 and 140 characters\n- No label in it",
        "Let me think about situations:\n- losing a job\n- missing the bus",
        "We need to keep in mind the following:\n- They are short\n- They are sad",
        "Here are the key requirements:\n- They are short\n- They are sad",
        "Sure, let me analyze this:\n- They are short\n- They are sad",
        # Neither is a text.
        f"{A}\n{B}",
        f"## Sad\n{A}\n{B}\n## Glad\n{C}",
        "name,age\nAnna Maria Luise,5\nBert,7",
        "| a | b |\n|---|---|",
        f"{A}\nNote: {B}\n{C}",
        "<p>Here you are, as you asked.</p>",
        "<output>Sure, here they come</output>",
        "<a><b></a></b> so it goes",
        '{"What does the text show": "much", "How long is it": "short"}',
    ],
)
def test_what_is_no_text_is_not_taken_for_one(answer):
    assert texts(answer) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"<text>{A}</text><text>{B[:9]}", [A]),
        (f"```csv\ntext,label\n{A},sadness\n{B},sad", [A]),
        (f"| text |\n|---|\n| {A} |\n| {B[:9]}", [A]),
        (f"- text: {A}\n- text: {B[:9]}", [A]),
        (f"Here are two sentences:\n{A}\n{C}\n{B[:9]}", [A, C]),
        (f"{A}\n{C}\n{B}\n{B[:9]}", []),
        ("Ways to be sad:\n- losing a job\n- missing the bus\n- f", []),
        ("Possible situations:\n1. a job that is lost\n2. a bus that is missed\n3. ", []),
        (f"<think>Perhaps:\n- {A}\n- {B}\n- ", []),
    ],
)
def test_of_what_is_cut_off_the_whole_texts_are_found(answer, expected):
    assert texts(answer, is_whole=False) == expected


@pytest.mark.parametrize(
    "form",
    [
        lambda lines: "\n".join(f"<text>{line}</text>" for line in lines),
        lambda lines: "\n".join(["| n | text |", "|-|-|", *(f"| 1 | {line} |" for line in lines)]),
        lambda lines: "\n".join(f"- text: {line}\n  label: joy" for line in lines),
        lambda lines: "\n".join(["```csv", "n,text", *(f"1,{line}" for line in lines), "```"]),
        "\n".join,
    ],
)
@given(lines=LINES, block=st.sampled_from(['["a b c"]', '{"text": "a b c"}']))
def test_the_last_json_goes_before_every_other_form(form, lines, block):
    assert texts(form(lines)) == lines
    assert texts(f"{form(lines)}\n\n{block}") == ["a b c"]


@pytest.mark.parametrize(
    "unit",
    [
        *("<", "<a", "<a>", "<a ", "</a>", "<a></a>", "<text>a b c</text>", "<a b='", "<![CDATA["),
        *("|", "| a |\n", "|-", "|-|\n", "- text: ", "- text: a\n", "text:\n", ' "', "a,", '",'),
        *("```\n", "```csv\n", "a b c.\n", "# a\n", "a:\n", "&", "&amp;", "\\|", "** ", "1. "),
    ],
)
@pytest.mark.parametrize("head", ["", "```csv\ntext,label\n", "| text |\n|---|\n", "Here:\n"])
def test_64_kilobytes_of_nonsense_cost_little(head, unit):
    answer = head + unit * (65_536 // len(unit))
    with bounded(seconds=20):
        found = candidates_in(answer, LABELS) + candidates_in(answer, LABELS, is_whole=False)
    assert all(isinstance(each, Candidate) for each in found)
