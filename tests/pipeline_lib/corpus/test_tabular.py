"""Annotations in one TSV of many documents."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.tabular import Table, parse_table

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"


def rows(table: Table) -> list[tuple[str, str, str, int, int, str, int]]:
    return [
        (document, m.id, m.label, m.starts[0], m.ends[0], m.surface, m.line)
        for document, standoff in table.documents.items()
        for m in standoff.mentions
    ]


def test_rows_become_mentions_numbered_in_their_document() -> None:
    table = parse_table(HEADER + "a\tD\t0\t5\tfever\nb.txt\tS\t1\t3\tit\na\tD\t0\t5\tfever\n")
    assert rows(table) == [("a", "T1", "D", 0, 5, "fever", 2), ("a", "T2", "D", 0, 5, "fever", 4), ("b", "T1", "S", 1, 3, "it", 3)]
    assert table.problems == () and table.has_text


def test_the_known_typo_extra_columns_a_bom_and_crlf_are_understood() -> None:
    table = parse_table("\ufeffnote\tfilename\tlabel\tstrat_span\tend_span\r\nx\ta\tD\t 0\t5.0\r\n")
    assert rows(table) == [("a", "T1", "D", 0, 5, "", 2)]
    assert not table.has_text


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("\tD\t0\t5\tx", "bad_row"),
        ("a\t\t0\t5\tx", "bad_row"),
        ("a\tD\tzero\t5\tx", "bad_row"),
        ("a\tD\t0.5\t5\tx", "bad_row"),
        ("a\tD\t0", "bad_row"),
        ("a\tD\t0\t" + "9" * 5000 + "\tx", "bad_row"),
        ("a\t*\t0\t5\tx", "bad_label"),
        ("a\tdry cough\t0\t5\tx", "bad_label"),
        ("a\tD\u200b\t0\t5\tx", "bad_label"),
        ("a\tD\t-1\t5\tx", "bad_offsets"),
        ("a\tD\t5\t5\tx", "bad_offsets"),
    ],
)
def test_a_row_that_is_no_mention_is_a_problem_of_its_line(row: str, code: str) -> None:
    table = parse_table(f"{HEADER}a\tD\t0\t5\tfever\n\n{row}\n")
    assert [(problem.line, problem.code) for problem in table.problems] == [(4, code)]
    assert len(rows(table)) == 1


def test_a_table_without_a_column_is_one_problem() -> None:
    assert [(p.line, p.code) for p in parse_table("filename\tlabel\tstart_span\n").problems] == [(1, "missing_column")]
    assert [p.code for p in parse_table("").problems] == ["missing_column"]


def test_a_leading_quote_swallows_nothing_when_the_table_was_written_without_quoting() -> None:
    table = parse_table(HEADER + 'a\tD\t0\t6\t"fever\na\tD\t9\t15\t"cough\na\tD\t20\t24\tpain\n')
    assert [(m[3], m[5]) for m in rows(table)] == [(0, '"fever'), (9, '"cough'), (20, "pain")]


def test_quotes_that_happen_to_pair_swallow_nothing_either() -> None:
    found = [("a", 0, 7, '"fiebre'), ("a", 9, 12, "tos"), ("b", 20, 28, "tos seca"), ("a", 30, 36, 'dolor"'), ("a", 40, 46, "fiebre")]
    table = parse_table(HEADER + "".join(f"{name}\tD\t{start}\t{end}\t{text}\n" for name, start, end, text in found))
    assert sorted((m[0], m[3], m[4], m[5]) for m in rows(table)) == sorted(found)
    assert table.problems == ()


def test_a_quoted_word_that_starts_a_text_stays_quoted_when_the_table_was_written_without_quoting() -> None:
    assert [m[5] for m in rows(parse_table(HEADER + 'a\tD\t0\t11\t"dry" cough\n'))] == ['"dry" cough']


def test_a_header_whose_quote_pairs_below_swallows_no_row() -> None:
    table = parse_table(HEADER.replace("text", '"text') + 'a\tD\t0\t5\tx"\nb\tD\t0\t5\ty\n')
    assert [(m[0], m[6]) for m in rows(table)] == [("a", 2), ("b", 3)]


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@given(st.lists(TEXTS, max_size=5))
def test_what_the_official_quoting_writes_is_read_back(texts: list[str]) -> None:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, delimiter="\t", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(["filename", "label", "start_span", "end_span", "text"])
    writer.writerows([["a", "D", number, number + 1, text] for number, text in enumerate(texts)])
    assert [(m[3], m[5]) for m in rows(parse_table(sheet.getvalue()))] == list(enumerate(texts))


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters='"\t\r\n\0'), max_size=5) | st.sampled_from(
    ["a", "D", "1", "-3"]
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=7).filter(lambda row: "".join(row).strip(" ")), max_size=6), st.booleans())
def test_every_row_is_a_mention_or_a_problem(cells: list[list[str]], quoted: bool) -> None:
    loose = [] if quoted else ['a\tD\t0\t5\t"loose']
    table = parse_table("\n".join([HEADER.rstrip(), *("\t".join(row) for row in cells), *loose]))
    assert len(rows(table)) + len(table.problems) == len(cells) + len(loose)
