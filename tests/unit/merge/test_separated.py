"""Tables of values between separators: no row is guessed, none is lost."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import InputError
from components.merge.reading.separated import read_separated

NAMED = ("text", "label")
LABELS = ("joy", "fear")


def rows_of(text, named=NAMED):
    frame = read_separated(text, "rows.csv", named)
    return list(zip(frame[named[0]], frame[named[1]], strict=True))


@given(
    st.lists(st.tuples(st.text("ab \"',;\t|\\\r\n\0é🙂"), st.sampled_from(LABELS))),
    st.sampled_from(",;\t|"),
)
def test_what_a_writer_of_any_separator_wrote_is_read_back(rows, separator):
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=separator).writerows([NAMED, *rows])
    try:
        assert rows_of(table.getvalue()) == rows
    except InputError as refused:
        # Every line of a text is a row by itself, but for the last, to which the label belongs.
        assert "each of which is a row" in refused.rule
        assert any(separator in text and len(text.splitlines()) > 1 for text, _ in rows)


@given(st.text('ab",;\n1', max_size=60), st.sampled_from([NAMED, ("1", "2")]))
def test_any_text_is_read_or_refused(text, named):
    for head in ("", "text,label\n", "text;label\n"):
        try:
            read_separated(head + text, "rows.csv", named)
        except InputError as refused:
            assert "rows.csv" in refused.thing


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_without_a_header_is_read_by_the_numbers_of_its_columns(separator):
    rows = [("fear", "oh; well, no"), ("joy", "yes"), ("joy", "a, b, c | d; e\tf; g")]
    quoted = "".join(f'{label}{separator}"{text}"\n' for label, text in rows)

    assert rows_of(quoted, ("2", "1")) == [(text, label) for label, text in rows]
    with pytest.raises(InputError, match=r"lacks the column .*or number them, from 1"):
        rows_of(quoted)


def test_a_separator_that_is_not_certain_is_refused():
    with pytest.raises(InputError, match="lacks the column 1, 2"):
        rows_of("well, no;fear\nyes, so;joy\n", ("1", "2"))


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (
            'text,label\n"I am so happy\nWith love,joy",joy\n',
            [("I am so happy\nWith love,joy", "joy")],
        ),
        ("text,label\nhello,joy,\nbye,fear,,\n", [("hello", "joy"), ("bye", "fear")]),
        ('text\tlabel\nC:\\new \\"a\\"\tjoy\n', [('C:\\new \\"a\\"', "joy")]),
        (
            'text\tlabel\n"Wow" he said\tjoy\nwell\tfear\n',
            [('"Wow" he said', "joy"), ("well", "fear")],
        ),
    ],
)
def test_what_is_certain_is_read(table, rows):
    assert rows_of(table) == rows


def test_a_lone_quote_swallows_nothing_where_lines_end_in_carriage_returns():
    with pytest.raises(InputError, match="each of which is a row"):
        rows_of('text,label\r"so glad,joy\rbad day,fear\rwell",joy\rno,fear\r')


LINES = ["text,label", *(f"text number {n},{LABELS[n % 2]}" for n in range(20))]


def with_quotes(**changed):
    lines = list(LINES)
    for place, line in changed.items():
        lines[int(place[1:])] = line
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        (
            with_quotes(n5='"so glad,joy', n15="he is 6'2\",joy"),
            6,
            "each of which is a row: 'so glad,joy'",
        ),
        (with_quotes(n5='"so glad,joy', n6="he is 6'2\",joy"), 6, "each of which is a row"),
        ('text,label\n"so glad,joy\nbad,fear\n6\'2",joy\n', 2, "each of which is a row"),
        (with_quotes(n5='"so glad,joy', n15='"so sad,fear'), 6, "not closed"),
        (with_quotes(n5='"so glad,joy'), 6, "not closed"),
        (with_quotes(n5='"he said \\"no\\", and left",joy'), 6, "by backslashes"),
        ('text\tlabel\n"he said \\"no\\", ok"\tjoy\nso sad\tfear\n', 2, "by backslashes"),
        ('label\ttext\njoy\tyes\nfear\t"\\"no\\""\n', 3, "by backslashes"),
        (with_quotes(n5="so, glad,joy"), 6, "more fields than its header"),
        (
            'label,text\njoy,"glad\nfear,he is 6\'2"\njoy,yes\nfear,no\n',
            2,
            "each of which is a row",
        ),
    ],
)
def test_lone_quotes_are_named_with_their_line_and_swallow_nothing(text, line, fault):
    with pytest.raises(InputError, match=rf"rows\.csv, line {line}: .*{fault}"):
        rows_of(text)


def test_long_texts_line_breaks_and_nul_are_kept():
    long = "a" * 300_000
    text = f'text,label\n{long},joy\n"two\nlines, here",fear\nso \0 glad,joy\n'

    assert rows_of(text) == [(long, "joy"), ("two\nlines, here", "fear"), ("so \0 glad", "joy")]


def test_a_column_that_is_there_twice_is_refused():
    with pytest.raises(InputError, match="has the column text twice"):
        rows_of("text,text,label\na,b,joy\n")


def test_absent_cells_are_empty_and_blank_lines_no_rows():
    assert rows_of("\ntext,label\n\na\n") == [("a", None)]
