"""The official TSV, read as pandas reads it, and without quoting."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline_lib.corpus.official import Sheet, integer, is_number, read_quoted, read_unquoted

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
TEXT_FIRST = "text\tfilename\tlabel\tstart_span\tend_span\n"


def quoted(content: str, strict: bool = False) -> Sheet:
    return read_quoted(io.StringIO(content, newline=""), strict)


def troubles(content: str) -> list[tuple[int, str | None]]:
    return [(row.number, row.trouble) for row in quoted(content).rows]


def test_a_row_has_its_number_its_last_line_and_its_cells_by_column() -> None:
    sheet = quoted(HEADER.replace("start", "strat") + '\na\tD\t0\t5\t"dry\r\ncough"\n  \nb\tD\t1\n')
    assert sheet.columns == ("filename", "label", "start_span", "end_span", "text")
    first, second = sheet.rows
    assert (first.number, first.line, first.width, first.cells["text"], first.trouble) == (1, 4, 5, "dry\r\ncough", None)
    assert (second.number, second.line, second.width, second.trouble) == (2, 6, 3, None)
    assert second.cells == {"filename": "b", "label": "D", "start_span": "1"}


def test_columns_that_are_not_there_are_told() -> None:
    assert quoted("filename\ttext\n").lacks(("label", "text", "end_span")) == ["label", "end_span"]


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_without_a_header_there_are_no_columns_and_no_rows(content: str) -> None:
    sheet = quoted(content)
    assert (sheet.columns, sheet.trouble, list(sheet.rows)) == ((), None, [])


def test_a_quote_within_a_field_is_a_character_and_one_pair_around_it_is_none() -> None:
    content = HEADER + 'a\tD\t0\t5\tsay "a"\na\tD\t0\t5\t"""a"" b"\na\tD\t0\t5\t"a" b\n'
    assert [row.cells["text"] for row in quoted(content).rows] == ['say "a"', '"a" b', "a b"]


def test_strict_reading_refuses_quotes_that_do_not_pair() -> None:
    for row in ('a\tD\t0\t5\t"a" b\n', 'a\tD\t0\t5\t"a\n'):
        with pytest.raises(csv.Error):
            list(quoted(HEADER + row, strict=True).rows)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_a_quote_that_is_never_closed_is_the_trouble_of_its_row(end: str) -> None:
    assert troubles(HEADER + f'a\tD\t0\t5\tx\na\tD\t0\t5\t"x\nb\tD\t0\t5\tx{end}') == [(1, None), (2, "unclosed")]
    assert quoted(f'"filename\tlabel{end}').trouble == "unclosed"
    assert quoted(f'"{end}').trouble == "unclosed"


@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
def test_a_closed_quote_at_the_end_of_the_file_is_no_trouble(end: str) -> None:
    assert troubles(HEADER + f'a\tD\t0\t5\t"x"{end}') == [(1, None)]


@pytest.mark.parametrize(
    "content",
    [
        HEADER + 'a\tD\t0\t5\t"x\nb\tD\t0\t5\ty"\n',
        HEADER + 'a\tD\t0\t5\t"x\r\nb\tD\t 0\t5.0\ty\r\nc\tD\t0\t5\t"z"\r\n',
        HEADER + 'a\tD\tzero\t5\t"x\nb\tD\t0\t5\ty"\n',
        HEADER + '"a\tD\t0\t5\tx\nb"\tD\t0\t5\ty\n',
        HEADER + 'a\tD\t0\t"5\tx\nb\tD\t0\t5"\ty\n',
        HEADER + 'a\tD\t"0\t5\tx\nb\tD\t0"\t5\ty\n',
        TEXT_FIRST + '"x\ta\tD\t0\t5\ny"\tb\tD\t0\t5\n',
        HEADER + 'a\tD\t0\t5\t"x\nb\tD\t0\t5\nc\tD\t0\t5\ty"\n',
    ],
)
def test_a_record_that_holds_another_row_swallows_it(content: str) -> None:
    assert troubles(content)[0] == (1, "swallows")


def test_a_header_that_holds_a_row_swallows_it() -> None:
    assert quoted(HEADER.replace("text", '"text') + 'a\tD\t0\t5\tx"\n').trouble == "swallows"


@pytest.mark.parametrize(
    "content",
    [
        HEADER + 'a\tD\t0\t5\t"dry\ncough\r\n1\t2\t3"\n',
        HEADER + '"a"\t"D"\t"0"\t"5"\t"dry\ncough"\n',
        TEXT_FIRST + '"dry\ncough"\ta\tD\t0\t5\n',
        "note\t" + HEADER + '"see\nbelow"\ta\tD\t0\t5\tx\n',
        "note\t" + HEADER + 'x\ta\t"D\n"\t1\t2\t3\n',
        "filename\ttext\n" + 'a\t"dry\na\tD\t0\t5\tcough"\n',
    ],
)
def test_a_text_of_several_lines_swallows_nothing(content: str) -> None:
    assert troubles(content) == [(1, None)]


def test_cells_beyond_the_header_are_surplus() -> None:
    sheet = quoted(HEADER + "a\tD\t0\t5\tx\ty\n")
    assert [(row.trouble, row.width) for row in sheet.rows] == [("surplus", 6)]


def test_a_field_longer_than_the_csv_module_takes_is_an_error_but_not_without_quoting() -> None:
    content = HEADER + "a\tD\t0\t5\t" + "x" * 140_000
    with pytest.raises(csv.Error):
        list(quoted(content).rows)
    assert [len(row.cells["text"]) for row in read_unquoted(io.StringIO(content, newline="")).rows] == [140_000]


def test_without_quoting_every_line_is_a_row_and_a_quote_a_character() -> None:
    sheet = read_unquoted(io.StringIO(HEADER + 'a\tD\t0\t5\t"x\r\n\nb\tD\t0\t5\ty"', newline=""))
    assert [(row.number, row.line, row.cells["text"], row.trouble) for row in sheet.rows] == [(1, 2, '"x', None), (2, 4, 'y"', None)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", 12), (" 12 ", 12), ("12.0", 12), ("1.2e1", 12), ("-3", -3), ("+3", 3), ("3.", 3), ("9007199254740993", None), ("9" * 400, None),
     ("1e999", None), ("3.5", None), ("", None), ("x", None), ("1_0", None), ("0x1", None), ("inf", None), ("nan", None), ("\u0663", None)],
)  # fmt: skip
def test_an_integer_is_a_whole_number_that_a_float_holds(cell: str, value: int | None) -> None:
    assert integer(cell) == value


def test_a_long_word_of_digits_is_judged_at_once() -> None:
    assert not is_number("9" * 200_000 + "x")


@given(st.text(alphabet="a1.- eE+_N", max_size=4))
@example("1e3")
@example(".")
def test_a_number_is_what_pandas_takes_for_one(cell: str) -> None:
    column = pd.read_csv(io.StringIO(f"a\tb\n{cell}\tx\n"), sep="\t")["a"]
    assert is_number(cell) is bool(pd.api.types.is_numeric_dtype(column) and column.notna().all())


FIELDS = st.text(alphabet='a" \t\n', max_size=4)


@given(st.lists(FIELDS, min_size=1, max_size=4))
def test_what_is_closed_has_the_texts_that_pandas_reads(fields: list[str]) -> None:
    content = "n\ttext\n" + "".join(f"1\t{field}\n" for field in fields)
    rows = list(quoted(content).rows)
    if all(row.trouble is None for row in rows):
        frame = pd.read_csv(io.StringIO(content), sep="\t", keep_default_na=False, dtype=str, index_col=False)
        assert [row.cells.get("text", "") for row in rows] == frame["text"].tolist()
