from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.alignment.units import split_units
from pipeline_lib.encoding.model_files import EncoderError
from pipeline_lib.encoding.pieces import GRAPHEME, Pieces, cut, overlaps, piece_spans, pieces_of, read_tokenizer
from tests.encoders import FAMILIES, Family, texts, tokenizer_of

EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)
TEXTS = st.text(alphabet=st.sampled_from("aeñ ftá.,5%\n\t \u0301🩺👩🏽\u200d⚕️½ﬁ…"), max_size=40)


@EVERY_FAMILY
def test_no_piece_begins_or_ends_at_white_space(family: Family) -> None:
    for text in texts()[::20]:
        found = cut(tokenizer_of(family), text)
        assert len(found.ids) == len(found.starts) == len(found.ends)
        for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
            assert start <= end and text[start:end] == text[start:end].strip()


@EVERY_FAMILY
def test_the_space_mark_shifts_no_offset(family: Family) -> None:
    """Whatever stands before it, a word's first piece begins at its first letter and its last one ends at its last."""
    for before in ("", " ", "  ", "\n", "\t ", "(", "tos "):
        text = f"{before}fiebre alta"
        found, word = cut(tokenizer_of(family), text), text.index("fiebre")
        inside = [i for i in range(len(found.ids)) if word <= found.starts[i] < found.ends[i] <= word + 6]
        assert found.starts[inside].min() == word and found.ends[inside].max() == word + 6
        assert "".join(text[found.starts[i] : found.ends[i]] for i in inside) == "fiebre"


@EVERY_FAMILY
@given(text=TEXTS)
def test_units_of_pieces_are_disjoint_cover_the_text_and_cut_no_grapheme(family: Family, text: str) -> None:
    spans = piece_spans(cut(tokenizer_of(family), text), text)
    edges = {match.start() for match in GRAPHEME.finditer(text)} | {len(text)}
    edges |= {place + shift for place, char in enumerate(text) if char.isspace() for shift in (0, 1)}  # a grapheme may hold white space
    assert all(start < end and start in edges and end in edges for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert {place for place, char in enumerate(text) if not char.isspace()} <= covered
    assert all(not text[start].isspace() for start, _ in spans)


@EVERY_FAMILY
def test_the_grid_of_pieces_is_finer_than_that_of_words(family: Family) -> None:
    text = texts()[0]
    pieces, words = split_units(text, pieces_of(tokenizer_of(family))), split_units(text)
    assert len(pieces.starts) > len(words.starts)
    assert [pieces.starts[i] for i in pieces.breaks] == [words.starts[i] for i in words.breaks]


@given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 3), max_size=30))
def test_overlaps_are_the_shared_characters_of_every_pair(gaps: list[int], others: list[int]) -> None:
    def spans(steps: list[int]) -> list[tuple[int, int]]:
        edges = np.cumsum(steps).tolist()
        return list(zip(edges[::2], edges[1::2], strict=False))

    pieces, units = spans(gaps), [span for span in spans(others) if span[0] < span[1]]
    starts, ends = (np.array([span[side] for span in pieces], dtype=np.int32) for side in (0, 1))
    found = overlaps(Pieces([1] * len(pieces), starts, ends), [a for a, _ in units], [b for _, b in units])
    by_hand = {(u, p): min(b, d) - max(a, c) for u, (a, b) in enumerate(units) for p, (c, d) in enumerate(pieces) if min(b, d) > max(a, c)}
    assert dict(zip(zip(found.units.tolist(), found.pieces.tolist(), strict=True), found.characters.tolist(), strict=True)) == by_hand


def test_a_folder_without_a_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="the tokenizer cannot be read"):
        read_tokenizer(tmp_path)
