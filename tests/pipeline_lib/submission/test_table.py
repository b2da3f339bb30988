import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline_lib.submission.findings import Finding
from pipeline_lib.submission.table import MISSING, Table
from pipeline_lib.submission.texts import Document

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
TEXT = "No fever, NA now.\n"
DOCUMENTS = {
    "a": Document(None, lambda: TEXT),
    "b": Document("x", lambda: TEXT),
    "other": Document("symptom", lambda: TEXT),
    "bad": Document(None, lambda: None),
    "NA": Document(None, lambda: TEXT),
    "7": Document(None, lambda: TEXT),
}


def findings(content: str, documents: dict[str, Document] | None = DOCUMENTS) -> list[Finding]:
    return list(Table("t", "x", documents).check(io.StringIO(content, newline="")))


def codes(rows: str, documents: dict[str, Document] | None = DOCUMENTS) -> list[tuple[str, int | None, str]]:
    return [(finding.code, finding.row, finding.level) for finding in findings(HEADER + rows, documents)]


def test_a_good_table_has_no_findings() -> None:
    assert codes("a\tX\t3\t8\tfever\nb\tX\t0\t2\tNo\na\tY\t3\t8\tfever\n\n") == []
    assert codes("") == []


def test_a_label_of_another_entity_is_a_warning_where_the_layout_names_entities() -> None:
    assert codes("b\tY\t0\t2\tNo\nb.txt\tx\t3\t8\tfever\na\tY\t0\t2\tNo\n") == [("label_off_entity", 1, "warning")]


def test_columns_may_be_more_in_another_order_and_misspelt() -> None:
    assert findings("text\tx\tend_span\tstrat_span\tlabel\tfilename\nfever\t1\t8\t3\tX\ta\n") == []


def test_a_bom_before_the_header_is_the_readers_business() -> None:
    assert [finding.column for finding in findings("\ufeff" + HEADER)] == ["filename"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("a\tX\t3.5\t8\tfever\n", "not_an_integer"),
        ("a\tX\tthree\t8\tfever\n", "not_an_integer"),
        ("a\tX\t1_0\t8\tfever\n", "not_an_integer"),
        ("a\tX\t\t8\tfever\n", "not_an_integer"),
        ("a\tX\t3\tinf\tfever\n", "not_an_integer"),
        ("a\tX\t3\t1e999\tfever\n", "not_an_integer"),
        ("a\tX\t8\t3\tfever\n", "end_not_after_start"),
        ("a\tX\t8\t8\tfever\n", "end_not_after_start"),
        ("nobody\tX\t3\t8\tfever\n", "unknown_document"),
        ("other\tX\t3\t8\tfever\n", "unknown_document"),
        ("bad\tX\t3\t8\tfever\n", "unknown_document"),
        ("a\tX\t-1\t8\tfever\n", "offset_outside_text"),
        ("a\tX\t3\t99\tfever\n", "offset_outside_text"),
        ("a\tX\t3\t8\tFever\n", "text_differs"),
        ("a\tX\t3\t9\tfever\n", "text_differs"),
        ("a\t\t3\t8\tfever\n", "reads_as_missing"),
        ("a\tnull\t3\t8\tfever\n", "reads_as_missing"),
        ("NA\tX\t3\t8\tfever\n", "reads_as_missing"),
        ("a\t*\t3\t8\tfever\n", "bad_label"),
        ("a\tA B\t3\t8\tfever\n", "bad_label"),
        ("a\tX\t3\t8\tfever\tmore\n", "unreadable"),
        ('a\tX\t3\t8\t"fever\n', "unreadable"),
        ('a\tX\t3\t8\t"fever\n\n', "unreadable"),
        ('a\tX\t3\t8\t"fever\nb\tX\t0\t2\t"No\n', "unreadable"),
    ],
)
def test_each_rule_is_told_alone_with_its_row(rows: str, code: str) -> None:
    assert codes("b\tX\t0\t2\tNo\n\n" + rows) == [(code, 2, "error")]


def test_a_row_that_is_there_twice_is_told_once_whatever_its_text() -> None:
    assert codes("a\tX\t3\t8\tfever\na\tX\t3\t8\tfever\na\tX\t3.0\t 8\tfever\n") == [("duplicate_row", n, "error") for n in (2, 3)]


def test_a_text_that_reads_as_missing_is_a_warning() -> None:
    assert codes("a\tX\t10\t12\tNA\n") == [("reads_as_missing", 1, "warning")]


def test_filenames_that_are_all_numbers_are_a_warning() -> None:
    assert codes("7\tX\t3\t8\tfever\n") == [("reads_as_number", None, "warning")]
    assert codes("7\tX\t3\t8\tfever\na\tX\t3\t8\tfever\n") == []


def test_every_missing_column_is_told_and_rows_are_then_looked_at_for_their_shape_alone() -> None:
    found = findings("filename\tend_span\na\tb\na\tb\tc\n")
    assert [(finding.code, finding.row, finding.column) for finding in found] == [
        ("missing_column", None, "label"), ("missing_column", None, "start_span"), ("missing_column", None, "text"),
        ("unreadable", 2, None),
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "\n \n", '"', '"filename\tlabel\n'])
def test_a_table_without_a_header_is_unreadable(content: str) -> None:
    assert [finding.code for finding in findings(content)] == ["unreadable"]


def test_a_line_break_within_a_mention_is_no_swallowed_row() -> None:
    documents = {"a": Document(None, lambda: "dry\ncough\r\n1\t2\t3")}
    assert codes('a\tX\t0\t18\t"dry\ncough\r\n1\t2\t3"\n'.replace("18", "16"), documents) == []


def test_without_documents_only_what_needs_no_text_is_told() -> None:
    assert codes("nobody\tX\t3\t99999\tx\nnobody\tX\t-3\t9\tx\n", None) == [("offset_outside_text", 2, "error")]


def test_a_finding_has_the_offsets_of_its_row_and_no_text() -> None:
    assert findings(HEADER + "a\tX\t3\t8\tsecret\n") == [Finding("t", "text_differs", 1, 3, 8)]
    assert "secret" not in str(findings(HEADER + "a\tX\t3\tsecret\tsecret\nsecret\tX\t1\t2\tsecret\n"))


@pytest.mark.parametrize("value", sorted(MISSING))
def test_pandas_takes_these_for_missing(value: str) -> None:
    frame = pd.read_csv(io.StringIO(f'{HEADER}a\tX\t1\t2\t"{value}"\n'), sep="\t")
    assert frame["text"].isna().tolist() == [True]


fields = st.text(alphabet="a1.- eE+_N", max_size=4)


@given(fields)
@example("12.0")
@example(" 12")
@example("1e3")
@example("0x1")
@example(".")
def test_an_integer_is_what_pandas_takes_for_one(field: str) -> None:
    column = pd.read_csv(io.StringIO(f"{HEADER}a\tX\t1\t{field}\tx\n"), sep="\t")["end_span"]
    whole = bool(pd.api.types.is_numeric_dtype(column) and column.notna().all() and (column % 1 == 0).all())
    assert ("not_an_integer" in [code for code, *_ in codes(f"a\tX\t1\t{field}\tx\n")]) is not whole
