"""Labels that answers give their texts outside of JSON, and what stands around lists."""

import pytest

from components.generate.answers.parse import candidates_in

LABELS = ("sadness", "joy", "fear")
WON, DOOR = "I won today!", "He is at the door."
BY_LABEL = [(WON, "joy"), (DOOR, "fear")]


def found(answer):
    return [(each.text, each.label) for each in candidates_in(answer, LABELS)]


@pytest.mark.parametrize(
    "answer",
    [
        f'### joy\n```json\n["{WON}"]\n```\n### fear\n```json\n["{DOOR}"]\n```',
        f'joy: ["{WON}"]\nfear: ["{DOOR}"]',
        f'**Joy**\n{{"text": "{WON}"}}\n\n**Fear:**\n{{"text": "{DOOR}"}}',
        f'Joy\n["No."]\nFear\n["{DOOR}"]\nJoy\n["{WON}"]',
        f"1. {WON} (joy)\n2. {DOOR} - Fear",
        f"1. (Joy) {WON}\n2. (fear): {DOOR}",
        f"- {WON} | Label: joy\n- {DOOR} | Label: fear",
    ],
)
def test_a_text_under_another_label_is_not_taken_for_one_of_the_label_asked_for(answer):
    assert sorted(found(answer)) == sorted(BY_LABEL)


def test_a_label_in_json_or_within_a_text_is_no_heading():
    assert found(f'{{\n"joy": [\n"{WON}"\n],\n"fear": [\n"{DOOR}"\n]\n}}') == BY_LABEL
    assert found('["fear\\n[of it]", "Pure joy"]') == [("fear\n[of it]", None), ("Pure joy", None)]


@pytest.mark.parametrize(
    "answer",
    [
        f"1. {WON}\n2. {DOOR}\n\nWant me to write more?",
        f"Sure, here you go\n\n1. {WON}\n2. {DOOR}",
        f"1 - {WON}\n2 - {DOOR}",
        f"1\ufe0f\u20e3 {WON}\n2\ufe0f\u20e3 {DOOR}",
        f"a) {WON}\nb) {DOOR}",
        f"i. {WON}\nii. {DOOR}",
        f"[1] {WON}\n[2] {DOOR}",
        f"\u2460 {WON}\n\u2461 {DOOR}",
        f"\u2705 {WON}\n\u2705 {DOOR}",
        f"- [ ] {WON}\n- [x] {DOOR}",
        f"> {WON}\n> {DOOR}",
        f"Satz 1: {WON}\nSatz 2: {DOOR}",
        f"No. 1: {WON}\nNo. 2: {DOOR}",
        f'{{"title": "Two joyful moments", "texts": ["{WON}", "{DOOR}"]}}',
        f'{{"steps": ["Think of a day"], "sentences": ["{WON}", "{DOOR}"]}}',
        f'["<your text here>", "{WON}", "{DOOR}"]',
        (
            '[{"role": "user", "content": "Write two of them"}, '
            f'{{"role": "assistant", "content": "[\\"{WON}\\", \\"{DOOR}\\"]"}}]'
        ),
    ],
)
def test_the_texts_alone_are_taken(answer):
    assert found(answer) == [(WON, None), (DOOR, None)]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Sure, here are three messages.", "I hope these help!"),
        ("Bien s\u00fbr, voici trois textes.", "N'h\u00e9site pas \u00e0 demander."),
        ("Gerne, hier sind drei Texte.", "Sag Bescheid, wenn du mehr brauchst."),
        (
            "\u597d\u7684\uff0c\u4ee5\u4e0b\u662f\u4e09\u4e2a\u53e5\u5b50\u3002",
            "\u5e0c\u671b\u8fd9\u4e9b\u53e5\u5b50\u5bf9\u4f60\u6709\u5e2e\u52a9\u3002",
        ),
    ],
)
def test_what_stands_around_bare_lines_is_no_text(first, last):
    lines = [WON, DOOR, "Nobody called me."]
    assert found("\n".join([first, *lines, last])) == [(each, None) for each in lines]


@pytest.mark.parametrize(
    "answer",
    [
        '["I\'m sorry, I can\'t help with that.", "I cannot fulfil this request."]',
        '["Das kann ich leider nicht tun, da es gegen meine Richtlinien verst\u00f6\u00dft."]',
        "I'm not going to write that.",
        '["I won\'t write this one, as it goes against my guidelines."]',
    ],
)
def test_a_refusal_is_no_text(answer):
    assert found(answer) == []


def test_a_text_may_speak_of_tags():
    text = "I typed <think> as a joke and I laughed."
    assert found(f'[{{"text": "{text}"}}]') == [(text, None)]
