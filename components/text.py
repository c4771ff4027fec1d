"""What makes two texts the same."""

import re
import unicodedata


def fold(text: str) -> str:
    """A text without case, punctuation, Unicode variants and extra white space.

    Texts that fold to the same string count as duplicates. A text of nothing but
    punctuation folds to itself.
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", normal)) or normal.strip()
