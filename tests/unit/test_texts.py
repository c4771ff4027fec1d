import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.texts import (
    NearTexts,
    first_matches,
    fold,
    near_matches,
    telling_words,
    terms,
    word_pairs,
    words,
    words_of,
)
from tests.languages import LANGUAGES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm so HAPPY!", "i m so happy"),
        ("  two\twords \n", "two words"),
        ("\uff46\uff55\uff4c\uff4c width", "full width"),  # full-width letters
        ("cafe\u0301", "caf\u00e9"),  # combining accent
        ("Stra\u00dfe", "STRASSE"),
        ("o\ufb03ce", "office"),  # ligature
        ("I \u2764\ufe0f it", "i \u2764 it"),  # a heart in colour
        ("fine \U0001f44d\U0001f3fd", "fine \U0001f44d"),  # colour of a skin
        ("می\u200cخواهم", "میخواهم"),
        ("今天，很好。", "今天 很好"),
        ("see https://a.b/c at 8:30 (now): (no)", "see https a b c at 8 30 now no"),
        ("Wow, so good!!", "wow so good."),
        ("Really?!?", "really?"),
        ("is it, really ?", "Is it 'really'?"),
        ("¿Qué? 你好吗？", "qué? 你好吗?"),
        ("كيف حالك؟", "كيف حالك?"),
        ("up 5 %, at 3 $", "up 5% at 3$"),
        ("at −5", "at -5."),
        ("so #happy - 10-20 of us", "so happy 10 – 20 of us"),
        ("½ of it", "1/2 of it"),
        ("# A heading", "A heading"),
        ("a.com/x?b=c", "a.com x b c"),
    ],
)
def test_variants_of_a_text_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no", "now"),
        ("i am sad", "i am not sad"),
        ("a b", "ab"),
        (":)", ":("),
        ("what a day:-)", "What a day :-("),
        ("so it goes <3", "so it goes </3"),
        ("今天很好 :)", "今天很好 :("),
        ("hi (:", "hi ):"),
        ("ok ^_^", "ok -_-"),
        ("well :|", "well"),
        ("You did it!", "You did it?"),
        ("你好！", "你好？"),
        ("حالك!", "حالك؟"),
        ("up +5%", "up -5%"),
        ("up +5%", "up 5%"),
        ("at -5", "at 5"),
        ("up 5%", "up 5"),
        ("I love C++", "I love C#"),
        ("I love C#", "I love C"),
        ("it costs $5", "it costs €5"),
        ("it costs £5", "it costs ¥5"),
        ("气温 +5", "气温 -5"),
        ("it is > 5", "it is < 5"),
        ("a ≤ b", "a ≥ b"),
        ("3 × 2", "3 ÷ 2"),
        ("I am fine 🙂", "I am fine 😡"),
        ("I am fine 🙂", "I am fine"),
        ("go 🇫🇷", "go 🇩🇪"),
        ("👨‍👩‍👧", "👨‍👨‍👧"),
        ("मेरा बेटा बीमार है", "मेरी बेटी बीमार है"),
        ("कि", "की"),
    ],
)
def test_different_texts_stay_different(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_ignores_case_and_surrounding_space_and_is_stable(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert fold(f"\n {text}\t") == folded
    assert bool(folded) == bool(text.strip())


@given(st.text("a1_ -+#%$€£?!.,:;()[]|^<>3d/\\'−؟≤½ø我"))
def test_folding_is_stable_for_signs_in_any_order(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert fold(f"\n {text}\t") == folded
    assert bool(folded) == bool(text.strip())


LETTERS = "aZé ßİ.,!1_ ©²ŉ\u0301\u0345\u200c\u200d\ufe0f🙂👍🏽🇫م我ドกำकिबेက္\u3099가\u3164"


@given(st.text(LETTERS))
def test_folding_is_stable_for_letters_marks_and_joiners_in_any_order(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert bool(folded) == bool(text.strip())


@pytest.mark.parametrize("similarity", [0.1, 0.5, 0.7, 0.9])
def test_few_near_duplicates_are_missed_and_nothing_else_is_found(similarity):
    index = NearTexts(similarity, words)
    texts = [" ".join(f"{word}{n}" for word in string.ascii_lowercase) for n in range(200)]
    for number, text in enumerate(texts):
        assert index.find(text) is None
        index.add(number, text)
    near = [" ".join(text.split()[: round(26 * similarity) + 1]) for text in texts]
    far = [" ".join(text.split()[: round(26 * similarity) - 1]) for text in texts]
    assert sum(index.find(text) is None for text in near) <= 2
    assert all(index.find(text) is None for text in far)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's  3-4\twords!", ["It's", "3-4", "words!"]),
        ("ça va très bien…", ["ça", "va", "très", "bien…"]),
        ("मैं खुश हूँ", ["मैं", "खुश", "हूँ"]),
        ("我很高兴！", ["我", "很", "高", "兴"]),
        ("ドアを叩く", ["ドア", "を", "叩", "く"]),
        ("ดีใจ", ["ดี", "ใ", "จ"]),
        ("我爱 New York", ["我", "爱", "new", "york"]),
        ("🎉🎉 🎉", ["🎉🎉", "🎉"]),
        (" ", []),
    ],
)
def test_words_are_parted_by_spaces_where_a_script_has_them(text, expected):
    assert words_of(text) == expected


def test_emoji_alone_are_a_text():
    assert fold(" 🎉🎉! ") == "🎉🎉"
    assert near_matches(["🎉", "🙂 🎉", "🙂"], ["🙂!", "🎉"], 0.8) == [1, None, 0]


def test_terms_are_words_or_pairs_of_letters():
    assert terms(fold("I am so, so happy")) == ["i", "am", "so", "so", "happy"]
    assert terms(fold("我爱 New York，真的")) == ["我 爱", "new", "york", "真 的"]
    assert terms(fold("我")) == ["我"]


def test_what_a_classifier_learns_from_is_any_word_but_a_latin_letter():
    assert telling_words("It's a day 🙂") == ["it", "day", "🙂"]
    assert telling_words("我很好。") == ["我", "很", "好"]


@pytest.mark.parametrize(
    ("text", "learnt"),
    [
        ("k", ["k"]),
        ("A b!", ["a", "b"]),
        ("🙂", ["🙂"]),
        ("!!", ["!!"]),
        ("?", ["?"]),
        ("7", ["7"]),
    ],
)
def test_there_is_a_word_to_learn_in_every_text(text, learnt):
    assert telling_words(text) == learnt


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("similarity", [0.5, 0.7])
def test_near_duplicates_are_found_in_any_script(language, similarity):
    for shingles in (words, word_pairs):
        index = NearTexts(similarity, shingles)
        index.add(0, fold(language.joy))
        index.add(1, fold(language.sadness))

        assert index.find(fold(f"{language.joy[:-1]}{language.joy[0]}")) == 0
        assert index.find(fold(f"{language.sadness[:-1]}{language.sadness[0]}")) == 1
        assert near_matches([language.sadness], [language.joy], 0.3) == [None]


def test_words_forget_their_order_and_pairs_keep_it():
    assert words("a b c") == words("c b a")
    assert words("a b ?") == words("b a")
    assert words("?") == {"?"}
    assert word_pairs("a b c") != word_pairs("c b a")


@given(st.lists(st.text("ab ", min_size=1), max_size=20))
def test_a_repeated_text_is_always_found(texts):
    matches = first_matches([*texts, *texts], 0.8)
    assert None not in matches[len(texts) :]
    for text, match in zip([*texts, *texts], matches, strict=True):
        if match is not None and fold(text) in map(fold, texts[:match]):
            assert fold([*texts, *texts][match]) == fold(text)
