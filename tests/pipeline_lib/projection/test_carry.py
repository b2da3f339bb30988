import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.projection import CARRIED_LINES
from pipeline_lib.corpus.annotation_lines import read_lines
from pipeline_lib.projection.carry import Row, carry_lines

MENTIONS = {"T1": "T1", "T2": None, "T3": "T2", "T4": "T3"}


def rows_of(data: str) -> list[Row]:
    return [
        {"document": "d", "lang": "es", "line": line.line, "kind": line.kind, "raw": line.raw, "terminator": line.terminator}
        for line in read_lines(data)
    ]


def carry(*lines: str, mentions: dict[str, str | None] = MENTIONS, renamed: dict[str, str] | None = None) -> list[str]:
    """Each line as it is carried, or why it is not."""
    rows = carry_lines(rows_of("".join(f"{line}\n" for line in lines)), mentions, renamed or {}, "en")
    CARRIED_LINES.check(CARRIED_LINES.table(rows))
    return [row["raw"] or row["reason"] for row in rows]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("R7\tCauses Arg1:T3 Arg2:T4\t", "R1\tCauses Arg1:T2 Arg2:T3\t"),
        ("R7\tCauses Arg1:T3 Arg2:T2", "mention_not_projected"),
        ("R7\tCauses Arg1:T2 Arg2:T9", "dangling_reference"),
        ("R7\tCauses Arg1:T3", "malformed_line"),
        ("E7\tTreat:T1 Theme:T3 ", "E1\tTreat:T1 Theme:T2 "),
        ("E7\tTreat:T1 Theme:T3 Cause:T2", "mention_not_projected"),
        ("E7\tTreat:T2 Theme:T3", "mention_not_projected"),
        ("A7\tNegated T3 yes", "A1\tNegated T2 yes"),
        ("M7\tNegated T2", "mention_not_projected"),
        ("M7\tNegated T4", "M1\tNegated T3"),
        ("N7\tReference T3 UMLS:T3\tT3", "N1\tReference T2 UMLS:T3\tT3"),
        ('#7\tAnnotatorNotes T4\t"T4",\té\u2028', '#1\tAnnotatorNotes T3\t"T4",\té\u2028'),
        ("#\tAnnotatorNotes T4", "#1\tAnnotatorNotes T3"),
        ("# a free comment", "malformed_line"),
        ("*\tEquiv T4 T1 T3", "*\tEquiv T3 T1 T2"),
        ("*\tEquiv T4 T1 T2", "mention_not_projected"),
    ],
)
def test_a_line_goes_where_all_its_mentions_go(line: str, expected: str) -> None:
    assert carry(line) == [expected]


def test_lines_about_lines_follow_them_in_any_order() -> None:
    assert carry(
        "#1\tNote A1\tx",
        "#2\tNote A2\ty",
        "#3\tNote #2\tz",
        "A1\tOld R1",
        "A2\tOld R2",
        "R1\tWith Arg1:T1 Arg2:T2",
        "R2\tWith Arg1:T1 Arg2:T3",
    ) == [
        "line_not_carried",
        "#1\tNote A1\ty",
        "#2\tNote #1\tz",
        "line_not_carried",
        "A1\tOld R1",
        "mention_not_projected",
        "R1\tWith Arg1:T1 Arg2:T2",
    ]


def test_lines_in_a_circle_go_together_or_not_at_all() -> None:
    assert carry("E5\tTreat:T1 Theme:E6", "E6\tTreat:T3 Cause:E5") == ["E1\tTreat:T1 Theme:E2", "E2\tTreat:T2 Cause:E1"]
    assert carry("E5\tTreat:T1 Theme:E6", "E6\tTreat:T2 Cause:E5") == ["line_not_carried", "mention_not_projected"]
    assert carry("A5\tOld A5") == ["A1\tOld A1"]


def test_ids_are_counted_anew_for_every_kind() -> None:
    lines = ["A9\tOld T1", "M3\tOld T1", "A2\tOld T2", "A3\tOld T3", "#4\tN T1", "*\tEquiv T1 T3", "N5\tR T1 U:1\tx", "*\tEquiv T3 T4"]
    rows = carry_lines(rows_of("\n".join(lines)), MENTIONS, {}, "en")
    assert [row["target_id"] for row in rows] == ["A1", "M1", None, "A2", "#1", None, "N1", None]
    assert [row["source_id"] for row in rows] == ["A9", "M3", "A2", "A3", "#4", None, "N5", None]


def test_a_reference_to_an_id_that_occurs_twice_means_the_first() -> None:
    assert carry("A1\tOld T2", "A1\tOld T1", "#1\tNote A1\tx") == ["mention_not_projected", "A1\tOld T1", "line_not_carried"]
    assert carry("A1\tOld T1", "A1\tOld T3", "#1\tNote A1\tx") == ["A1\tOld T1", "A2\tOld T2", "#1\tNote A1\tx"]


def test_refused_mentions_and_unknown_lines_are_no_companions() -> None:
    assert carry("T8\tbroken", "what is this", "", "A1\tOld T1") == ["A1\tOld T1"]


def test_a_byte_order_mark_stays_behind() -> None:
    assert carry("\ufeffA7\tOld T1") == ["A1\tOld T1"]


def test_without_projected_mentions_nothing_is_carried() -> None:
    assert carry("A1\tOld T1", "#1\tNote A1\tx", mentions={"T1": None}) == ["mention_not_projected", "line_not_carried"]


LINES = st.one_of(
    st.builds(
        "{}\tType {}".format, st.sampled_from(["A1", "A2", "M1", "#1", "#"]), st.sampled_from(["T1", "T2", "T9", "A1", "A2", "E1", "R1"])
    ),
    st.builds("R1\tType Arg1:{} Arg2:{}".format, st.sampled_from(["T1", "T2", "A1"]), st.sampled_from(["T3", "E1", "R1"])),
    st.builds(
        "{}\tType:{} Theme:{}".format, st.sampled_from(["E1", "E2"]), st.sampled_from(["T1", "T2"]), st.sampled_from(["E2", "E1", "T3"])
    ),
    st.builds("*\tEquiv {} {}".format, st.sampled_from(["T1", "E1"]), st.sampled_from(["T2", "T3"])),
    st.text(alphabet="REAMN#*T1\t :", max_size=12),
)


@given(st.lists(LINES, max_size=12))
def test_every_companion_line_has_one_row_and_refers_to_nothing_that_is_not_there(lines: list[str]) -> None:
    given_rows = rows_of("".join(f"{line}\n" for line in lines))
    rows = carry_lines(given_rows, MENTIONS, {}, "en")
    CARRIED_LINES.check(CARRIED_LINES.table(rows))
    assert [row["line"] for row in rows] == [row["line"] for row in given_rows if row["kind"] not in "T?"]
    carried = "".join(f"{row['raw']}\n" for row in rows if row["raw"])
    targets = {target: target for target in MENTIONS.values() if target}
    again = carry_lines(rows_of(carried), dict(targets), {}, "en")
    assert [row["raw"] for row in again] == carried.splitlines()


@given(st.lists(LINES, max_size=12))
def test_carrying_everything_onto_itself_keeps_all_but_malformed_and_dangling_lines(lines: list[str]) -> None:
    everything: dict[str, str | None] = {mention: mention for mention in MENTIONS}
    assert "mention_not_projected" not in carry(*lines, mentions=everything)


def test_a_long_chain_of_references_is_followed_to_its_end() -> None:
    lines = [f"#{n}\tNote #{n + 1}\tx" for n in range(1, 3000)]
    assert set(carry(*lines, "#3000\tNote T2\tx")) == {"line_not_carried", "mention_not_projected"}
    assert carry(*lines, "#3000\tNote T1\tx")[-1] == "#3000\tNote T1\tx"


def test_an_event_is_called_what_its_trigger_is_called() -> None:
    """After an alias; other references may have the old word as a role."""
    assert carry("E7\tTTO:T1 TTO:T3", renamed={"T1": "TREATMENT", "T3": "DRUG"}) == ["E1\tTREATMENT:T1 TTO:T2"]
    assert carry("E7\tTTO:E8", "E8\tTTO:T1", renamed={"T1": "TREATMENT"}) == ["E1\tTTO:E2", "E2\tTREATMENT:T1"]
