"""Laws of the lines that go with mentions, whatever they refer to."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.annotation_lines import Line
from pipeline_lib.corpus.brat import check_against, parse
from pipeline_lib.corpus.companions import KINDS, Companion, parse_companion
from pipeline_lib.corpus.standoff_rows import Row, line_rows
from pipeline_lib.projection.carry import carry_lines
from tests.fuzz.strategies import LINKED_SHEETS, Sheet


def read(sheet: Sheet) -> tuple[list[Row], list[str]]:
    """Rows of the lines that are no mentions, and the mentions' ids."""
    checked = check_against(parse(sheet.data), sheet.text)
    return line_rows(checked, "d", "es"), [mention.id for mention in checked.mentions]


def as_line(row: Row) -> Line:
    return Line(row["line"], row["kind"], row["raw"], row["terminator"])


def of_target(row: Row) -> Row:
    """A carried line as a line of the target's file."""
    return {"document": "d", "lang": "en", "line": row["line"], "kind": row["kind"], "raw": row["raw"], "terminator": "\n"}


def standing(lines: list[Row], ids: list[str]) -> set[int]:
    """The lines that refer to mentions and to standing lines alone: one that does not is taken away until there is none."""
    left = {line.line: parse_companion(line) for line in map(as_line, lines) if line.kind in KINDS}
    first: dict[str, int] = {}
    for number, companion in left.items():
        if companion and companion.id:
            first.setdefault(companion.id, number)

    def stands(companion: Companion | None) -> bool:
        return companion is not None and all(ref in ids or first.get(ref) in left for ref in companion.refs)

    while fallen := [number for number, companion in left.items() if not stands(companion)]:
        del left[fallen[0]]
    return set(left)


@given(LINKED_SHEETS, st.lists(st.booleans(), min_size=5, max_size=5))
def test_every_companion_is_carried_or_has_its_reason(sheet: Sheet, projected: list[bool]) -> None:
    lines, ids = read(sheet)
    mentions = {id_: f"T{number + 40}" if projected[number % 5] else None for number, id_ in enumerate(ids)}
    rows = carry_lines(lines, mentions, {}, "en")
    assert [row["line"] for row in rows] == [line["line"] for line in lines if line["kind"] in KINDS]
    assert all((row["raw"] is None) != (row["reason"] is None) for row in rows)


@given(LINKED_SHEETS, st.lists(st.booleans(), min_size=5, max_size=5))
def test_what_is_carried_refers_to_what_is_in_the_targets_file(sheet: Sheet, projected: list[bool]) -> None:
    lines, ids = read(sheet)
    mentions = {id_: f"T{number + 40}" if projected[number % 5] else None for number, id_ in enumerate(ids)}
    carried = [row for row in carry_lines(lines, mentions, {}, "en") if row["reason"] is None]
    companions = [parse_companion(as_line(of_target(row))) for row in carried]
    own = [row["target_id"] for row in carried if row["kind"] != "*"]
    assert len(set(own)) == len(own)
    known = {*own, *mentions.values()}
    for row, companion in zip(carried, companions, strict=True):
        assert companion is not None and known.issuperset(companion.refs)
        assert (companion.kind, companion.id) == (row["kind"], row["target_id"])


@given(LINKED_SHEETS)
def test_a_file_carried_onto_itself_keeps_what_refers_to_something(sheet: Sheet) -> None:
    lines, ids = read(sheet)
    same = {id_: id_ for id_ in ids}
    once = [row for row in carry_lines(lines, same, {}, "en") if row["reason"] is None]
    again = carry_lines([of_target(row) for row in once], same, {}, "en")
    assert [(row["line"], row["raw"], row["reason"]) for row in again] == [(row["line"], row["raw"], None) for row in once]
    assert {row["line"] for row in once} == standing(lines, ids)
