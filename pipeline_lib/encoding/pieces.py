"""Pieces: what a tokenizer cuts a text into, where they lie in it, and how they meet the run's units.

Teachers and student may have tokenizers of their own; all of them meet on the units, by the characters that a piece and a unit share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import regex
from pydantic import BaseModel, Field

from pipeline_lib.alignment.band import Ints
from pipeline_lib.alignment.units import Cut
from pipeline_lib.encoding.hugging_face import auto_tokenizer
from pipeline_lib.encoding.model_files import EncoderError, ModelSource

GRAPHEME = regex.compile(r"\X")


@dataclass(frozen=True)
class Pieces:
    """The pieces of one text, without special tokens.

    Attributes:
        ids: shape (pieces,); starts, ends: offsets in the text, code points, half-open, without white space at either end; a piece
            that stands for none of the text (the space mark of SentencePiece alone) is empty. Shape (pieces,) each.
    """

    ids: list[int]
    starts: Ints
    ends: Ints


@dataclass(frozen=True)
class Overlaps:
    """Which pieces share how many characters with which units, in the order of the units; shape (pairs,) each."""

    units: npt.NDArray[np.int64]
    pieces: npt.NDArray[np.int64]
    characters: npt.NDArray[np.float32]


def cut(tokenizer: Any, text: str) -> Pieces:
    """The pieces of ``text`` by a fast tokenizer, however long it is."""
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False)
    spans = [_trimmed(text, start, end) for start, end in found["offset_mapping"]]
    starts, ends = (np.array([span[side] for span in spans], dtype=np.int32) for side in (0, 1))
    return Pieces(list(found["input_ids"]), starts, ends)


def overlaps(pieces: Pieces, starts: Sequence[int], ends: Sequence[int]) -> Overlaps:
    """Where pieces and units (offsets, ascending, disjoint) share characters. A unit may meet no piece: some tokenizers drop characters."""
    unit_starts, unit_ends = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    first = np.searchsorted(unit_ends, pieces.starts, side="right")
    last = np.maximum(np.searchsorted(unit_starts, pieces.ends, side="left"), first)
    count = np.where(pieces.ends > pieces.starts, last - first, 0)
    piece = np.repeat(np.arange(len(count)), count)
    unit = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum()) if len(count) else piece
    shared = np.minimum(pieces.ends[piece], unit_ends[unit]) - np.maximum(pieces.starts[piece], unit_starts[unit])
    order = np.argsort(unit, kind="stable")
    return Overlaps(unit[order].astype(np.int64), piece[order].astype(np.int64), shared[order].astype(np.float32))


def pieces_of(tokenizer: Any) -> Cut:
    """How a tokenizer cuts a text into units."""
    return lambda text: piece_spans(cut(tokenizer, text), text)


def piece_spans(pieces: Pieces, text: str) -> list[tuple[int, int]]:
    """The pieces as units, spans that are disjoint and cut no grapheme: a run of graphemes that begin in the same piece.

    A grapheme that no piece covers is a unit of its own; white space is none.
    """
    owner = np.full(len(text), -1)
    for number in reversed(range(len(pieces.ids))):  # of pieces that share a character the first has it
        owner[pieces.starts[number] : pieces.ends[number]] = number
    spans: list[tuple[int, int]] = []
    before = -1
    for match in GRAPHEME.finditer(text):
        start, end = _trimmed(text, *match.span())
        if start == end:
            before = -1
            continue
        here = int(owner[start])
        if here >= 0 and here == before:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        before = here
    return spans


class UnitsConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The grid on which teachers, student and decoder meet."""

    grid: Literal["words", "pieces"] = Field("words", description="words and numbers, or the pieces of a tokenizer (paper)")
    tokenizer: ModelSource = Field(ModelSource(), description="whose pieces; without a model the sentence teacher's")


def read_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a model's folder. Raises ``EncoderError``."""
    try:
        return auto_tokenizer().from_pretrained(folder, use_fast=True, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"{folder.name}: the tokenizer cannot be read ({type(error).__name__})") from None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
