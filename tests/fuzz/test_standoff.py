"""Laws of standoff files, whatever is in them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.annotation_lines import Line, read_lines
from pipeline_lib.corpus.brat import RULES as BRAT_RULES
from pipeline_lib.corpus.brat import Standoff, check_against, parse, verbatim, write
from pipeline_lib.corpus.companions import KINDS, parse_companion
from pipeline_lib.corpus.irregular import RULES, TEXT_RULES, annotation_irregularities, text_irregularities
from pipeline_lib.corpus.standoff_rows import from_rows, line_rows, mention_rows
from pipeline_lib.corpus.text import choose_reading, matches, offset_map, readings, slices
from tests.fuzz.strategies import CANARY, FILES, FRAGMENTS, SHEETS, TEXTS, Sheet, claim


def is_claim(line: str) -> bool:
    """Whether a line is meant as a mention: T and a digit, or an id that starts with T and a tab."""
    return re.match(r"T[0-9]|T\S*\t", line) is not None


def warned(standoff: Standoff, text: str, *codes: str) -> list[int | None]:
    return sorted(row.line for row in annotation_irregularities(standoff, text) if row.code in codes)


@given(FILES, TEXTS)
def test_any_file_is_written_back_as_it_was_read(data: str, text: str) -> None:
    parsed = parse(data)
    assert write(parsed.mentions, parsed.others) == data
    checked = check_against(parsed, text)
    assert write(checked.mentions, checked.others) == data


@given(SHEETS)
def test_any_file_is_written_back_from_its_rows(sheet: Sheet) -> None:
    checked = check_against(parse(sheet.data), sheet.text)
    assert from_rows(mention_rows(checked, "d", "es", "es/d.ann"), line_rows(checked, "d", "es")) == sheet.data


@given(SHEETS)
def test_every_line_is_of_one_mention_or_another_line(sheet: Sheet) -> None:
    checked = check_against(parse(sheet.data), sheet.text)
    taken = [mention.line + extra for mention in checked.mentions for extra in range(verbatim(mention).count("\n") + 1)]
    taken += [other.line for other in checked.others]
    lines = sheet.data.count("\n") + (sheet.data != "" and not sheet.data.endswith("\n"))
    assert sorted(taken) == list(range(1, lines + 1))


@given(SHEETS)
def test_every_claim_is_a_mention_or_one_reject(sheet: Sheet) -> None:
    checked = check_against(parse(sheet.data), sheet.text)
    lines = enumerate(sheet.data.removeprefix("\ufeff").split("\n"), start=1)
    claims = [number for number, line in lines if is_claim(line.removesuffix("\r"))]
    assert sorted([mention.line for mention in checked.mentions] + [problem.line for problem in checked.problems]) == claims
    assert all(problem.rule == BRAT_RULES[problem.code] for problem in checked.problems)


@given(SHEETS)
def test_every_line_that_says_nothing_has_a_warning(sheet: Sheet) -> None:
    checked = check_against(parse(sheet.data), sheet.text)
    found = {other.line: parse_companion(other) for other in checked.others if other.kind in KINDS}
    known = {mention.id for mention in checked.mentions} | {row.id for row in found.values() if row}
    dangling = [number for number, row in found.items() if row and not known.issuperset(row.refs)]
    assert warned(checked, sheet.text, "unknown_line", "blank_line") == [other.line for other in checked.others if other.kind == "?"]
    assert warned(checked, sheet.text, "malformed_line") == [number for number, row in found.items() if row is None]
    assert warned(checked, sheet.text, "dangling_reference") == dangling


@given(SHEETS)
def test_a_mention_that_its_text_bears_out_is_taken_whatever_else_is_in_the_file(sheet: Sheet) -> None:
    checked = check_against(parse(sheet.data), sheet.text)
    mentions = {mention.id: mention for mention in checked.mentions}
    for meant in sheet.claims:
        mention = mentions[meant.id]
        assert (mention.label, mention.starts, mention.ends, mention.surface) == (meant.label, meant.starts, meant.ends, meant.surface)


@given(SHEETS)
def test_every_mention_taken_holds_what_the_text_holds(sheet: Sheet) -> None:
    for mention in check_against(parse(sheet.data), sheet.text).mentions:
        assert mention.surface == slices(sheet.text, mention.starts, mention.ends)
        assert all(0 <= start < end <= len(sheet.text) for start, end in zip(mention.starts, mention.ends, strict=True))


@given(TEXTS)
def test_what_is_irregular_in_a_text_has_its_place_there(text: str) -> None:
    rows = text_irregularities(text)
    assert len({row.code for row in rows}) == len(rows)
    for row in rows:
        assert row.start is not None and row.end is not None and 0 <= row.start < row.end <= len(text)
        assert (row.line, row.rule, row.count >= 1) == (None, TEXT_RULES[row.code], True)


@given(SHEETS)
def test_what_is_irregular_in_annotations_has_its_line_and_its_rule(sheet: Sheet) -> None:
    rows = annotation_irregularities(check_against(parse(sheet.data), sheet.text), sheet.text)
    lines = sheet.data.count("\n") + 1
    for row in rows:
        assert row.rule == RULES[row.code] and row.count >= 1
        assert row.line is None or 1 <= row.line <= lines
        assert row.start is None or row.end is None or 0 <= row.start < row.end <= len(sheet.text)
    assert len({(row.line, row.code) for row in rows}) == len(rows)


@given(SHEETS)
def test_no_finding_repeats_the_text(sheet: Sheet) -> None:
    checked = check_against(parse(f"{sheet.data}\n{CANARY}\nT9\tX 0 1\t{CANARY}\nR9\t{CANARY} {CANARY}"), sheet.text)
    found = [*checked.problems, *text_irregularities(sheet.text), *annotation_irregularities(checked, sheet.text)]
    assert found and CANARY not in repr(found)


@given(TEXTS.filter(lambda text: text.removeprefix("\ufeff")), st.integers(0, 3), st.lists(FRAGMENTS, min_size=1, max_size=4))
def test_annotations_made_under_any_reading_are_all_found(text: str, number: int, shapes: list[list[tuple[int, int]]]) -> None:
    bare = text.removeprefix("\ufeff")
    meant = [text, bare, text.replace("\r\n", "\n"), bare.replace("\r\n", "\n")][number]
    lines = [claim(meant, number, "DISEASE", fragments).line for number, fragments in enumerate(shapes, start=1)]
    parsed = parse("\n".join(lines))
    name, chosen = choose_reading(text, parsed.mentions)
    assert (name, chosen) in readings(text)
    assert all(matches(chosen, mention) for mention in parsed.mentions)
    assert len(check_against(parsed, chosen).mentions) == len(shapes)


@given(TEXTS, st.integers(0, 3), st.integers(0, 3))
def test_offsets_of_one_reading_lie_at_the_same_characters_of_another(text: str, one: int, two: int) -> None:
    candidates = list(readings(text))
    (here, mine), (there, other) = candidates[one % len(candidates)], candidates[two % len(candidates)]
    place = offset_map(text, here, there)
    assert place(len(mine)) == len(other)
    assert all(other[place(at)] == mine[at] for at in range(len(mine)) if mine[at] not in "\r\ufeff")
    assert here != there or [place(at) for at in range(len(mine))] == list(range(len(mine)))


@given(FILES)
def test_every_line_is_kept_with_its_terminator(data: str) -> None:
    lines: list[Line] = list(read_lines(data))
    assert "".join(line.raw + line.terminator for line in lines) == data
    assert all("\n" not in line.raw and line.kind in "TREAMN#*?" for line in lines)
    assert not any(line.raw.endswith("\r") and line.terminator == "\n" for line in lines)
