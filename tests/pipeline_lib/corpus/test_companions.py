import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.annotation_lines import Line, read_lines
from pipeline_lib.corpus.companions import KINDS, Companion, parse_companion, rewrite

WELL_FORMED = [
    ("R1\tCauses Arg1:T1 Arg2:T2", "R1", ("T1", "T2")),
    ("R1\tCauses Arg1:T1 Arg2:T2\t", "R1", ("T1", "T2")),
    ("R1\tCauses Arg1:E1 Arg2:R2 Arg3:T3", "R1", ("E1", "R2", "T3")),
    ("E1\tTreat:T3 Theme:T1 Theme2:T2 Cause:E2", "E1", ("T3", "T1", "T2", "E2")),
    ("E1\tTreat:T3 ", "E1", ("T3",)),
    ("A1\tNegated T1", "A1", ("T1",)),
    ("A12\tCertainty E1 L3 or less", "A12", ("E1",)),
    ("M1\tSpeculation E1", "M1", ("E1",)),
    ("N1\tReference T1 UMLS:C0004238\tatrial flutter", "N1", ("T1",)),
    ('#1\tAnnotatorNotes T1\tsee T2, "quoted"\tand\ttabbed', "#1", ("T1",)),
    ("#1\tAnnotatorNotes R1", "#1", ("R1",)),
    ("#\tAnnotatorNotes T1\ta note without an id", None, ("T1",)),
    ("*\tEquiv T1 T2 T3", None, ("T1", "T2", "T3")),
]
MALFORMED = [
    "R1\tCauses Arg1:T1",
    "R1\tCauses T1 T2",
    "R1\t",
    "R\tCauses Arg1:T1 Arg2:T2",
    "E1\tTreat",
    "E1\tTreat:T3 T1",
    "A1\tNegated",
    "A1\t",
    "N1\tReference T1",
    "N1\tReference T1 ",
    "# a free comment",
    "#1\tAnnotatorNotes",
    "*\tEquiv T1",
    "*",
]


def line_of(raw: str) -> Line:
    (line,) = read_lines(raw)
    return line


@pytest.mark.parametrize(("raw", "own", "refs"), WELL_FORMED)
def test_a_companion_names_itself_and_what_it_refers_to(raw: str, own: str | None, refs: tuple[str, ...]) -> None:
    assert parse_companion(line_of(raw)) == Companion(raw[0], own, refs, 1)


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_line_that_cannot_be_understood_is_no_companion(raw: str) -> None:
    assert parse_companion(line_of(raw)) is None
    with pytest.raises(ValueError, match="line 1 is no companion"):
        rewrite(line_of(raw), "X1", {})


@pytest.mark.parametrize(("raw", "own", "refs"), WELL_FORMED)
def test_a_line_rewritten_with_its_own_ids_is_the_same(raw: str, own: str | None, refs: tuple[str, ...]) -> None:
    assert rewrite(line_of(raw), own or raw[0], {ref: ref for ref in refs}) == raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("R1\tArg2:T1  Arg1:T1 Arg2:T2\t", "R9\tArg2:T1  Arg1:T11 Arg2:T12\t"),
        ("E1\tT1:T1 T2:T2 ", "E9\tT1:T11 T2:T12 "),
        ("A1\tT1 T1 T1", "A9\tT1 T11 T1"),
        ("N1\tReference T1 T2:T1\tT1", "N9\tReference T11 T2:T1\tT1"),
        ("#1\tAnnotatorNotes T1\t#1 T1\tT2", "#9\tAnnotatorNotes T11\t#1 T1\tT2"),
        ("*\tEquiv T1 T2 T1", "*\tEquiv T11 T12 T11"),
        ("\ufeffA1\tNegated T1", "A9\tNegated T11"),
    ],
)
def test_only_its_id_and_its_references_are_renamed(raw: str, expected: str) -> None:
    assert rewrite(line_of(raw), "*" if raw[0] == "*" else f"{expected[0]}9", {"T1": "T11", "T2": "T12"}) == expected


@given(st.sampled_from(KINDS), st.text(alphabet=st.characters(exclude_characters="\n"), max_size=30))
def test_no_line_of_a_known_kind_crashes_and_a_companion_keeps_every_other_character(kind: str, rest: str) -> None:
    line = Line(2, kind, f"{kind}1\tX T1\t{rest}", "\n")
    assert parse_companion(Line(2, kind, f"{kind}{rest}", "\n")) is None or rest
    if kind in "AM#":
        assert parse_companion(line) == Companion(kind, f"{kind}1", ("T1",), 2)
        assert rewrite(line, f"{kind}7", {"T1": "T5"}) == f"{kind}7\tX T5\t{rest}"
