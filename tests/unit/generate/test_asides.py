"""Refusals, plans and announcements, as LLMs word them."""

import json

import pytest

from components.generate.answers.asides import announces, declines, refuses
from components.generate.answers.parse import candidates_in

REFUSALS = [
    "I'm sorry, but I can’t help with that.",
    "Lo siento, no puedo ayudarte con esa solicitud.",
    "Desculpe, não posso ajudar com esse pedido.",
    "Je suis désolé, mais je ne peux pas répondre à cette demande.",
    "Es tut mir sehr leid, aber dabei kann ich nicht helfen.",
    "Mi dispiace, ma non posso soddisfare questa richiesta.",
    "Het spijt me, maar ik kan daar niet mee helpen.",
    "Przykro mi, ale nie mogę w tym pomóc.",
    "Извините, я не могу помочь с этим запросом.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "عذرًا، لا أستطيع تلبية هذا الطلب.",
    "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
    "माफ़ करें, मैं यह सहायता नहीं दे सकता।",
    "对不起，我无法满足这个请求。",
    "作为一个AI助手，我不能提供此类内容。",
    "申し訳ありませんが、そのリクエストにはお応えできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
]
OTHERS = [
    "Estoy triste porque no vino nadie.",
    "Ich vermisse sie sehr.",
    "Она ушла, и мне плохо.",
    "我很难过，他走了。",
    "The bus was late again.",
    "Sorry.",
    "Lo siento.",
    "",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_known_in_many_languages(answer):
    assert refuses(answer)
    assert refuses(f"  **{answer}**\n\nWas it this?")
    assert declines(answer)


@pytest.mark.parametrize("text", OTHERS)
def test_texts_are_no_refusals(text):
    assert not refuses(text)


@pytest.mark.parametrize("answer", REFUSALS)
@pytest.mark.parametrize("form", ["{}", "- {}", "<text>{}</text>", '["{}"]', '{{"error": "{}"}}'])
def test_a_refusal_is_no_text_in_any_form(form, answer):
    assert candidates_in(form.format(answer), ("joy",)) == []


def test_people_cannot_do_things_either():
    texts = ["I'm sorry that I missed you.", "No puedo dormir sin ti.", "Ich kann nicht mehr."]
    assert [each.text for each in candidates_in(json.dumps(texts))] == texts
    assert [each.text for each in candidates_in(json.dumps(texts[1:2]))] == texts[1:2]


@pytest.mark.parametrize(
    ("line", "of_a_whole_answer", "of_one_cut_off"),
    [
        ("Here are two sentences:", True, True),
        ("Hier sind zwei Sätze:", True, True),
        ("以下是两个句子：", True, True),
        ("Deux phrases tristes :", True, False),
        ("Sentences:", True, False),
        ("## Sentences", True, True),
        ("**Texts**", True, True),
        ("The user wants:", False, False),
        ("Thinking Process:", False, False),
        ("**Requirements**", False, False),
        ("用户想要：", False, False),
        ("I can't do that, but I could offer:", False, False),
        ("Lo siento, pero puedo:", False, False),
        ("So it goes.", False, False),
        ("a" * 300 + ":", False, False),
    ],
)
def test_a_preamble_announces_texts_and_no_plan(line, of_a_whole_answer, of_one_cut_off):
    assert announces(line) is of_a_whole_answer
    assert announces(line, is_whole=False) is of_one_cut_off
