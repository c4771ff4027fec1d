"""Words for train, validation and test in other languages than English.

None of them decides what a file is: they show that its name means a split, which is not certain.
"""

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

# Beginnings of words, without accents; with a full stop at their end, whole words. A tilde stands
# for what may part two words. Those for evaluation are none: they mean reviews as well.
_LATIN = """
entrenamient entreno treino treinament entrainement apprentissage addestrament allenament
trainingsd trainingsm trainingss lerndat opleidingsd opleidingss oefen. oefend oefens treningow
trenink trenovac traning trening traening træning uczac egitim pelatihan latih antrenare tanito
opetus. opetusd ucenje huanluyen huan~luyen
prueb teste. testes. testen. testd testm testsa testare teszt testi. essai. prova. toets.
toetsd toetss afprovning afprøvning testow sinama provjera uji. kiemtra kiem~tra
validac validaz validierung validatie validering validasi walidac dogrulama
"""
_OTHER = """
обуч трениров тестов тест. валидац провероч навчал тренув валідац εκπαιδευσ δοκιμ επικυρωσ
训练 訓練 学習 测试 測試 テスト 验证 驗證 検証
훈련 학습 테스트 시험 검증
تدريب اختبار التحقق آموزش آزمون אימון מבחן בדיקה
प्रशिक्षण परीक्षण सत्यापन ฝึก ทดสอบ
"""


def means_split_elsewhere(name: str) -> bool:
    """Check for a word for a split in another language in the name of a file or folder."""
    return _ANY.search(_plain(name)) is not None


def _plain(name: str) -> str:
    """A name without accents, in lower case; a Mac writes them as characters of their own."""
    parts = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name))
    return "".join(each for each in parts if not unicodedata.combining(each)).casefold()


def _form(word: str, before: str = "") -> str:
    after = r"(?![^\W\d_])" if word.endswith(".") else ""
    return before + r"[\s_-]".join(map(re.escape, _plain(word.rstrip(".")).split("~"))) + after


_ANY = re.compile(
    "|".join(
        [*(_form(each, r"(?<![^\W\d_])") for each in _LATIN.split()), *map(_form, _OTHER.split())]
    )
)
