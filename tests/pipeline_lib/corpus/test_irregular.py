import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.brat import check_against, parse
from pipeline_lib.corpus.irregular import RULES, annotation_irregularities, text_irregularities

TEXT = "fever and dry cough\nsince Monday; atrial\nflutter"
FEVER = "T1\tSYMPTOM 0 5\tfever\n"


def found(data: str, text: str = TEXT) -> list[tuple[int | None, str]]:
    return [(row.line, row.code) for row in annotation_irregularities(check_against(parse(data), text), text)]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("\ufeffa\ufeff", "bom", (0, 1, 1)),
        ("a\ufeffb\u200bc", "zero_width", (1, 2, 2)),
        ("coraz\u006f\u0301n y man\u0303ana", "not_nfc", (5, 7, 2)),
        ("5\u00a0mg, 7\u202fmg", "non_breaking_space", (1, 2, 2)),
        ("ta\u00adqui\u00adcardia", "soft_hyphen", (2, 3, 2)),
        ("dose\t5 mg", "tab", (4, 5, 1)),
        ("a\x00b\x85c\x1f", "control_character", (1, 2, 3)),
        ("a\u2028b", "line_separator", (1, 2, 1)),
        ("a\rb\r\n", "lone_carriage_return", (1, 2, 1)),
        ("a\rb\r\nc\r\n", "crlf", (3, 5, 2)),
        ("a\ufffd\ufffd", "replacement_character", (1, 2, 2)),
    ],
)
def test_an_irregular_text_has_one_row_a_code_with_its_first_place_and_the_count(text: str, code: str, place: tuple[int, int, int]) -> None:
    (row,) = [row for row in text_irregularities(text) if row.code == code]
    assert (row.start, row.end, row.count) == place
    assert (row.line, row.rule) == (None, RULES[code])


def test_a_byte_order_mark_at_the_start_has_its_own_code() -> None:
    assert [row.code for row in text_irregularities("\ufefffever")] == ["bom"]


@pytest.mark.parametrize("text", ["", "Varón de 59 años\n\n", "ἀρτηρία 動脈 \U0001f48a", "a\nb"])
def test_ordinary_texts_have_none(text: str) -> None:
    assert text_irregularities(text) == []


@given(st.text())
def test_any_text_is_looked_through_and_its_places_lie_within_it(text: str) -> None:
    rows = text_irregularities(text)
    assert len({row.code for row in rows}) == len(rows)
    assert all(row.start is not None and row.end is not None and 0 <= row.start < row.end <= len(text) and row.count > 0 for row in rows)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FEVER, []),
        (FEVER + "T2\tSYMPTOM 14 19\tcough\n#1\tAnnotatorNotes T2\tsevere\nR1\tWith Arg1:T1 Arg2:T2\n#2\tAnnotatorNotes R1\tx\n", []),
        ("T1\tSYMPTOM 0 5\tfever\nT2\tDISEASE 0 5\tfever\nT3\tDISEASE 0 9\tfever and\n", [(2, "same_label_nested")]),
        ("", [(None, "empty_annotations")]),
        (FEVER.removesuffix("\n"), [(1, "no_final_newline")]),
        ("\ufeff" + FEVER, [(1, "bom_in_annotations")]),
        ("\n" + FEVER + " \n", [(1, "blank_line"), (3, "blank_line")]),
        (FEVER + "t2\tSYMPTOM 14 19\tcough\n", [(2, "unknown_line")]),
        (FEVER.replace("\n", "\r\n") * 1, [(1, "crlf_in_annotations")]),
        (FEVER + "R1\tWith Arg1:T1\n# free\n", [(2, "malformed_line"), (3, "malformed_line")]),
        (FEVER + "A1\tSevere T1\nA1\tOld T1\n#\tNote T1\n#\tNote T1\n*\tEquiv T1 T1\n*\tEquiv T1 T1\n", [(3, "repeated_id")]),
        (FEVER + "A1\tSevere T2\n#1\tNote A1\n#2\tNote A2\n", [(2, "dangling_reference"), (4, "dangling_reference")]),
        ("T1\tSYMPTOM 1 6\tfever\nA1\tSevere T1\n", [(2, "dangling_reference")]),
        ("T1\tSYMPTOM 0 5;14 19\tfever cough\n", [(1, "discontinuous")]),
        ("T1\tSYMPTOM 14 19;0 5\tcough fever\n", [(1, "discontinuous"), (1, "fragments_out_of_order")]),
        ("T1\tSYMPTOM 0 5;0 5\tfever fever\n", [(1, "discontinuous"), (1, "overlapping_fragments")]),
        ("T1\tSYMPTOM 0 6\tfever \n", [(1, "edge_whitespace")]),
        ("T1\tSYMPTOM 5 9\t and\n", [(1, "edge_whitespace")]),
        ("T1\tSYMPTOM 0 4\tfeve\n", [(1, "cut_word")]),
        ("T1\tSYMPTOM 11 19\try cough\n", [(1, "cut_word")]),
        ("T1\tDISEASE 34 48\tatrial flutter\n", [(1, "line_break_in_mention")]),
        ("T1\tDISEASE 34 48\tatrial\nflutter\n", [(1, "broken_over_lines"), (1, "line_break_in_mention")]),
        ("T1\tSYMPTOM 10 19\tdry\u00a0cough\n", [(1, "white_space_differs")]),
        ("T1\tSYMPTOM 010 19\tdry cough\n", []),
        ("T1\tSYMPTOM 0 5\tfever\nT2\tSYMPTOM 0 5\tfever\n", [(2, "same_label_identical")]),
        ("T1\tSYMPTOM 0 9\tfever and\nT2\tSYMPTOM 6 13\tand dry\n", [(2, "same_label_crossing")]),
    ],
)
def test_irregular_annotations_are_named_by_line(data: str, expected: list[tuple[int | None, str]]) -> None:
    assert found(data) == expected


@pytest.mark.parametrize(
    ("text", "start", "end", "cut"),
    [
        ("50mg", 2, 4, True),
        ("e\u0301dema", 0, 1, True),
        ("re-entry", 3, 8, False),
        ("d'Angio", 2, 7, False),
        ("IgG4+", 0, 4, False),
        ("edema", 0, 5, False),
    ],
)
def test_a_word_is_cut_between_letters_digits_and_marks_only(text: str, start: int, end: int, cut: bool) -> None:
    assert ((1, "cut_word") in found(f"T1\tSYMPTOM {start} {end}\t{text[start:end]}\n", text)) == cut


def test_a_row_about_a_mention_says_where_it_lies_and_how_often_it_is_so() -> None:
    standoff = check_against(parse("T1\tSYMPTOM 5 9;9 13\t and  dry\n"), TEXT)
    rows = [row for row in annotation_irregularities(standoff, TEXT) if row.code == "edge_whitespace"]
    assert [(row.line, row.start, row.end, row.count, row.rule) for row in rows] == [(1, 5, 13, 2, RULES["edge_whitespace"])]


@given(st.text(alphabet="T1R#*A \t0592;\r\nfevrand", max_size=60).map(lambda data: FEVER + data))
def test_no_annotation_crashes_and_every_code_has_its_rule(data: str) -> None:
    rows = annotation_irregularities(check_against(parse(data), TEXT), TEXT)
    assert all(row.rule == RULES[row.code] and row.count > 0 for row in rows)
    assert len({(row.line, row.code) for row in rows}) == len(rows)


def test_no_row_repeats_what_text_or_line_say() -> None:
    text = "病 and 病病"
    rows = annotation_irregularities(check_against(parse("T1\t病 6 7\t病\nA1\t病 T9 病\n病\n"), text), text)
    assert {row.code for row in rows} == {"cut_word", "dangling_reference", "unknown_line"}
    assert "病" not in repr(rows)
