import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.texts import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm so HAPPY!", "i m so happy"),
        ("  two\twords \n", "two words"),
        ("\uff46\uff55\uff4c\uff4c width", "full width"),  # full-width letters
        ("cafe\u0301", "caf\u00e9"),  # combining accent
        ("Stra\u00dfe", "STRASSE"),
        ("o\ufb03ce", "office"),  # ligature
    ],
)
def test_variants_of_a_text_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("no", "now"), ("i am sad", "i am not sad"), ("a b", "ab"), (":)", ":(")]
)
def test_different_texts_stay_different(one, other):
    assert fold(one) != fold(other)


@settings(deadline=None)
@given(st.text())
def test_folding_ignores_case_and_surrounding_space_and_is_stable(text):
    folded = fold(text)

    assert fold(folded) == folded
    assert fold(f"\n {text}\t") == folded
