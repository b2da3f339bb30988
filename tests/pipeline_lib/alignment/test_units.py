import sys
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import DOCUMENTS, UNITS
from pipeline_lib.alignment.units import GridText, fold, grid_texts, split_units, units_table

TRICKY = "aé1.,-:!? \n\r\t\u0301\u20e3\ufe0f\u00ad\u200b\u200c\u200d\u0600\u102b\x1c\x85\u2028\u00a0😀\U0001f1ea\U0001f3fb\u00b4½ﬁİ"
ANY_TEXT = (
    st.text(max_size=30)
    | st.text(alphabet=TRICKY, max_size=30)
    | st.text(st.characters(categories=["M", "Nd", "Zs", "Cf", "Lo"]), max_size=12)
)


def surfaces(text: str) -> list[str]:
    units = split_units(text)
    return [text[start:end] for start, end in zip(units.starts, units.ends, strict=True)]


def segments(text: str) -> list[str]:
    units = split_units(text)
    stops = [*units.breaks[1:], len(units.starts)]
    return [text[units.starts[a] : units.ends[b - 1]] for a, b in zip(units.breaks, stops, strict=True)] if units.starts else []


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


@given(ANY_TEXT)
def test_units_ascend_and_hold_every_character_that_is_no_white_space(text: str) -> None:
    units = split_units(text)
    assert len(units.starts) == len(units.ends)
    borders = [border for span in zip(units.starts, units.ends, strict=True) for border in span]
    assert borders == sorted(borders) and all(start < end for start, end in zip(units.starts, units.ends, strict=True))
    inside = {place for start, end in zip(units.starts, units.ends, strict=True) for place in range(start, end)}
    assert all(place in inside for place, character in enumerate(text) if not character.isspace())


@given(ANY_TEXT)
def test_units_start_and_end_at_non_space(text: str) -> None:
    assert all(surface == surface.strip() != "" for surface in surfaces(text))


@given(ANY_TEXT)
def test_no_unit_holds_white_space(text: str) -> None:
    assert not any(character.isspace() for surface in surfaces(text) for character in surface)


@given(ANY_TEXT)
def test_no_combining_mark_is_parted_from_its_base(text: str) -> None:
    for start in split_units(text).starts:
        if start and unicodedata.category(text[start]).startswith("M"):
            before = text[start - 1]
            assert before.isspace() or unicodedata.category(before).startswith("C"), "a mark after a graphic character starts a unit"


@given(ANY_TEXT)
def test_segments_part_the_units_in_order_and_no_segment_holds_a_line_break(text: str) -> None:
    units = split_units(text)
    assert units.breaks == sorted(set(units.breaks)) and units.breaks[:1] == [0] * bool(units.starts)
    assert all(0 <= index < len(units.starts) for index in units.breaks)
    assert all("\n" not in segment for segment in segments(text))


def test_no_character_that_strip_keeps_is_left_without_a_unit() -> None:
    characters = [chr(code) for code in (*range(0x40000), *range(0xE0000, sys.maxunicode + 1))]  # planes 4 to 13 are unassigned
    starts = set(split_units(" ".join(characters)).starts)
    assert {characters[place // 2] for place in starts} == {character for character in characters if character.strip()}
    assert all(place % 2 == 0 for place in starts)


@pytest.mark.parametrize("plane", [range(0, 0x3000), range(0xA000, 0x10000), range(0x10000, 0x20000), range(0xE0000, 0xE0200)])
def test_the_type_of_a_unit_is_never_blank(plane: range) -> None:
    assert [hex(code) for code in plane if chr(code).strip() and not fold(chr(code)).strip()] == []


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Fiebre de 38,5 °C.", ["Fiebre", "de", "38,5", "°", "C", "."]),
        ("1.200,50 mg/24h", ["1.200,50", "mg", "/", "24", "h"]),
        ("en 2019.", ["en", "2019", "."]),
        ("anti-HBc (+)", ["anti", "-", "HBc", "(", "+", ")"]),
        ("COVID19", ["COVID", "19"]),
        ("e\u0301xito n\u0303o", ["e\u0301xito", "n\u0303o"]),
        ("car\u00addio", ["car\u00addio"]),
        ("1\u20e32", ["1\u20e3", "2"]),
        ("-\u102b", ["-\u102b"]),
        ("👩\u200d⚕\ufe0f🇪🇸🇮🇹", ["👩\u200d⚕\ufe0f", "🇪🇸", "🇮🇹"]),
        ("\u0600 a", ["\u0600", "a"]),
        ("\u0600 \u0301", ["\u0600", "\u0301"]),
        ("\u0600 \u200c", ["\u0600", "\u200c"]),
        ("\u0600\u00a0\U0001f3fb", ["\u0600", "\U0001f3fb"]),
        ("\x1ca\x1f", ["a"]),
        (" \n\t", []),
        ("", []),
    ],
)
def test_words_numbers_and_single_characters_are_units(text: str, units: list[str]) -> None:
    assert surfaces(text) == units


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Uno dos. Tres cuatro", ["Uno dos.", "Tres cuatro"]),
        ("Fue vista. ¿Sangra? No", ["Fue vista.", "¿Sangra?", "No"]),
        ("aprox. dos cm", ["aprox. dos cm"]),
        ("Sodio 3.5 mEq", ["Sodio 3.5 mEq"]),
        ("www.es.Madrid", ["www.es.Madrid"]),
        ("línea una\nlínea dos", ["línea una", "línea dos"]),
        ("una\r\rdos", ["una", "dos"]),
        ("Dosis… 20 mg", ["Dosis…", "20 mg"]),
    ],
)
def test_a_line_break_or_a_full_stop_before_no_small_letter_starts_a_segment(text: str, found: list[str]) -> None:
    assert segments(text) == found


@pytest.mark.parametrize(
    ("surface", "kind"),
    [
        ("Úlcera", "ulcera"),
        ("U\u0301lcera", "ulcera"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("car\u00addio", "cardio"),
        ("2,5", "2.5"),
        ("1.200,5", "1.200.5"),
        (",", ","),
        ("\u00b4", "\u00b4"),
        ("\u0301", "\u0301"),
        ("ﬁebre", "fiebre"),
        ("İ", "i"),
        ("\u1b3e\u1b35", "\u1b40"),
    ],
)
def test_types_drop_case_accents_and_the_decimal_comma(surface: str, kind: str) -> None:
    assert fold(surface) == kind


@given(ANY_TEXT)
def test_composed_and_decomposed_surfaces_have_the_same_type(text: str) -> None:
    for surface in surfaces(text):
        assert fold(unicodedata.normalize("NFC", surface)) == fold(unicodedata.normalize("NFD", surface))


@given(ANY_TEXT, st.integers(0, 30), st.integers(0, 30))
def test_the_units_of_a_span_are_those_that_overlap_it(text: str, one: int, other: int) -> None:
    start, end = min(one, other), max(one, other) + 1
    on = grid(text)
    assert list(on.units_of(start, end)) == [
        index for index, (first, last) in enumerate(zip(on.starts, on.ends, strict=True)) if first < end and last > start
    ]


@pytest.mark.parametrize(
    ("start", "end", "units"), [(0, 3, [0]), (2, 5, [0, 1]), (3, 4, []), (4, 10, [1]), (0, 7, [0, 1]), (7, 9, []), (6, 6, [1])]
)
def test_a_span_has_the_units_it_touches(start: int, end: int, units: list[int]) -> None:
    assert list(grid("uno dos").units_of(start, end)) == units


def documents(*texts: tuple[str, str]) -> pa.Table:
    return DOCUMENTS.table(
        [
            {"document": name, "lang": "es", "file": name, "text": text, "reading": "raw", "sha256": "", "characters": len(text)}
            for name, text in texts
        ]
    )


def test_the_table_has_the_units_of_every_document_in_order() -> None:
    read = documents(("b", "Dos. Tres"), ("a", "Uno"))
    table = units_table(read)
    UNITS.check(table)
    assert table.to_pylist() == [
        {"document": "b", "lang": "es", "starts": [0, 3, 5], "ends": [3, 4, 9], "breaks": [0, 2]},
        {"document": "a", "lang": "es", "starts": [0], "ends": [3], "breaks": [0]},
    ]
    texts = grid_texts(read, table)
    assert list(texts) == ["b", "a"]
    assert texts["b"] == grid("Dos. Tres") and texts["b"].types == ["dos", ".", "tres"]
