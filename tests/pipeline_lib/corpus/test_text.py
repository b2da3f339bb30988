import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.text import NotUtf8, choose_reading, decode, matches, offset_map, readings, slices

BREAKABLE = st.text(alphabet="ab é\u0301\u00a0\r\n\ufeff\u2028", max_size=40) | st.sampled_from(["\ufeffa\r\nb", "a\r\n\r\nb", "\r\n"])


@dataclass(frozen=True)
class Claim:
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    surface: str


def claim(text: str, *spans: tuple[int, int]) -> Claim:
    starts, ends = tuple(start for start, _ in spans), tuple(end for _, end in spans)
    return Claim(starts, ends, slices(text, starts, ends))


@given(st.binary())
def test_bytes_become_text_and_back_or_are_refused_without_being_held(data: bytes) -> None:
    try:
        text = decode(data)
    except NotUtf8 as error:
        assert re.fullmatch(r"not UTF-8 at byte \d+", str(error))
        assert error.__context__ is None and error.__cause__ is None and len(error.args) == 1
    else:
        assert text.encode("utf-8") == data


@given(BREAKABLE)
def test_the_readings_of_a_text_are_distinct_and_the_text_itself_is_one(text: str) -> None:
    found = dict(readings(text))
    assert found["raw"] == text
    assert len(set(found.values())) == len(list(readings(text)))
    assert ("lf" in found) == ("\r\n" in text) and ("nobom" in found) == text.startswith("\ufeff")


@given(BREAKABLE, st.data())
def test_mentions_made_under_one_reading_all_match_under_the_chosen_one(text: str, data: st.DataObject) -> None:
    _, counted_in = data.draw(st.sampled_from(list(readings(text))))
    ends = data.draw(st.lists(st.integers(1, max(1, len(counted_in))), max_size=5))
    claims = [claim(counted_in, (data.draw(st.integers(0, end - 1)), end)) for end in ends]
    _, chosen = choose_reading(text, claims)
    assert all(matches(chosen, one) for one in claims)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain\n", ["raw"]),
        ("one\r\ntwo", ["lf", "raw"]),
        ("\ufeffone", ["raw", "nobom"]),
        ("\ufeffone\r\ntwo", ["lf", "raw", "nobom", "lf-nobom"]),
        ("inner\ufeff mark and lone \r return", ["raw"]),
        ("e\u0301 is not é\u2028\x85", ["raw"]),
    ],
)
def test_a_text_has_only_the_readings_that_its_bom_and_line_ends_allow(text: str, names: list[str]) -> None:
    assert [name for name, _ in readings(text)] == names


@pytest.mark.parametrize(
    ("text", "name"),
    [("plain", "raw"), ("one\r\ntwo", "lf"), ("\ufeffone", "raw"), ("\ufeffone\r\ntwo", "lf")],
)
def test_without_evidence_a_text_is_read_as_brat_reads_it(text: str, name: str) -> None:
    assert choose_reading(text, [])[0] == name
    assert choose_reading(text, [Claim((0,), (3,), "zzz")])[0] == name


@pytest.mark.parametrize(("start", "name"), [(7, "lf-nobom"), (8, "lf"), (9, "nobom"), (10, "raw")])
def test_the_offsets_of_a_mention_decide_the_reading(start: int, name: str) -> None:
    assert choose_reading("\ufefffever\r\n\r\ncough", [Claim((start,), (start + 5,), "cough")])[0] == name


def test_the_majority_of_mentions_outvotes_a_wrong_one() -> None:
    text = "a\r\nfever\r\ncough"
    right = [Claim((2,), (7,), "fever"), Claim((8,), (13,), "cough")]
    assert choose_reading(text, [Claim((3,), (8,), "fever"), *right])[0] == "lf"


@pytest.mark.parametrize(
    ("surface", "holds"),
    [("atrial\nflutter", True), ("atrial flutter", True), ("atrial\tflutter", True), ("atrial  flutter", False), ("Atrial flutter", False)],
)
def test_one_white_space_character_stands_for_another_and_nothing_else_does(surface: str, holds: bool) -> None:
    assert matches("atrial\nflutter", Claim((0,), (14,), surface)) is holds


def test_fragments_are_joined_by_one_space_in_the_order_given() -> None:
    assert claim("pain in left knee", (8, 12), (0, 4)).surface == "left pain"


TEXTS = st.text(st.sampled_from("a\r\n\ufeff ") | st.characters(exclude_categories=("Cs",)))


@given(TEXTS)
def test_offsets_move_between_readings_with_their_characters(text: str) -> None:
    known = dict(readings(text))
    for here, source in known.items():
        for there, target in known.items():
            places = offset_map(text, here, there)
            moved = [places(offset) for offset in range(len(source) + 1)]
            assert moved == sorted(moved) and moved[-1] == len(target)
            kept = [offset for offset, character in enumerate(source) if character not in "\r\ufeff"]
            assert all(target[places(offset)] == source[offset] for offset in kept)
            if here == there:
                assert moved == list(range(len(source) + 1))


def test_an_offset_behind_the_end_moves_to_the_end() -> None:
    assert offset_map("a\r\nb", "raw", "lf")(99) == 3
