import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.annotation_lines import Line, entries, read_lines

DATA = st.text() | st.text(alphabet="T1R\t \r\n#*\ufeff\x00\x0b\x85\u2028\U0001f48a", max_size=60)


@given(DATA)
def test_the_lines_and_their_terminators_are_the_file(data: str) -> None:
    lines = list(read_lines(data))
    assert "".join(line.raw + line.terminator for line in lines) == data
    assert [line.line for line in lines] == list(range(1, len(lines) + 1))


@given(DATA)
def test_entries_hold_every_line_once_and_only_their_first_may_be_of_a_known_kind(data: str) -> None:
    found = list(entries(data))
    assert [line for entry in found for line in entry] == list(read_lines(data))
    assert all(line.kind == "?" for entry in found for line in entry[1:])


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("T1\tDISEASE 0 5\tfever", "T"),
        ("T1 DISEASE 0 5 fever", "T"),
        ("T\tx", "T"),
        ("R1\tCauses Arg1:T1 Arg2:T2", "R"),
        ("R1 Causes Arg1:T1 Arg2:T2", "?"),
        ("#1\tAnnotatorNotes T1\tx", "#"),
        ("# anything", "#"),
        ("*\tEquiv T1 T2", "*"),
        ("Tos seca", "?"),
        ("Rx de torso", "?"),
        ("Na 140\tK 4", "?"),
        ("", "?"),
        ("t1\tx", "?"),
    ],
)
def test_a_line_is_of_the_kind_that_it_looks_like(raw: str, kind: str) -> None:
    assert [line.kind for line in read_lines(raw + "\n")] == [kind]


def test_a_byte_order_mark_belongs_to_the_first_line_alone() -> None:
    first, second = read_lines("\ufeffT1\tx\n\ufeffT2\tx\n")
    assert (first.kind, first.content, first.raw) == ("T", "T1\tx", "\ufeffT1\tx")
    assert (second.kind, second.content) == ("?", "\ufeffT2\tx")


def test_numbers_go_on_from_where_they_are_told_to() -> None:
    assert list(read_lines("a\nb", first=7)) == [Line(7, "?", "a", "\n"), Line(8, "?", "b", "")]
