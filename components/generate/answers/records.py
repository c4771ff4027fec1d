"""Records of named values in an answer that is no JSON, a name a line, as YAML writes them.

It is read by its lines: to YAML's grammar a colon or a `#` in a text would be no part of it, and
an alias may stand for more than fits into memory.
"""

import re
from collections.abc import Collection
from typing import Any

from components.generate.answers.bare_quotes import unquoted
from components.generate.answers.field_names import (
    LABEL_KEYS,
    REMARK_KEYS,
    is_text_name,
    plain_name,
)
from components.generate.answers.frame import Body

_BEGINS = r"-[ \t]+|\d{1,3}[.)][ \t]+"
_NAMED = re.compile(
    rf"[ \t]*((?:{_BEGINS})?)([\w#*\"'][\w#*\"' .-]{{0,39}}?)[ \t]*[:\uff1a](?:\*\*)?(?:\s+(.*)|)"
)
_ITEM = re.compile(rf"[ \t]*(?:{_BEGINS})(.+)")
_BLOCK = re.compile(r"[|>][+-]?\d?")

Record = dict[str, Any]


def recorded(body: Body, labels: Collection[str]) -> list[Record]:
    """Read records or lists of texts under known names, if an answer is nothing else.

    Args:
        body: The answer.
        labels: Names of labels, under which texts may stand.

    Returns:
        The records: texts, lists of texts and labels by their names. A record begins with a dash
        or a number, or with a name that the one before has already.
    """
    texts = {label.lower() for label in labels}
    known = texts.union(LABEL_KEYS, REMARK_KEYS)
    head = [body.preamble] if _name(body.preamble, known) else []
    records: list[Record] = [{}]
    last = ""
    for line in (*head, *body.whole_lines):
        if name := _name(line, known):
            last = _begin(records, line, name)
        elif not _go_on(records[-1], last, line):
            return []
    have_texts = all(any(is_text_name(name) or name in texts for name in each) for each in records)
    return records if have_texts else []


def _name(line: str, known: Collection[str]) -> str:
    """The name at the beginning of a line, if it is a known one."""
    named = _NAMED.fullmatch(line)
    name = plain_name(named[2]) if named else ""
    return name if is_text_name(name) or name in known else ""


def _begin(records: list[Record], line: str, name: str) -> str:
    """Add what a line has under a name to the last record, or to a new one."""
    named = _NAMED.fullmatch(line)
    begins, value = (named[1], named[3] or "") if named else ("", "")
    if records[-1] and (begins or name in records[-1]):
        records.append({})
    records[-1][name] = [] if not value or _BLOCK.fullmatch(value) else _plain(value)
    return name


def _go_on(record: Record, last: str, line: str) -> bool:
    """Add a line without a name to what stands under the last one; False if it cannot be."""
    value, item = record.get(last), _ITEM.fullmatch(line)
    if isinstance(value, list) and item:
        value.append(_plain(item[1]))
    elif value == [] and line.startswith((" ", "\t")):
        record[last] = line.strip()
    elif isinstance(value, str) and line.startswith((" ", "\t")):
        record[last] = f"{value} {line.strip()}"
    else:
        return False
    return True


def _plain(value: str) -> str:
    """A value without its quotes."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    return unquoted(value)
