"""Spelling: what the characters of a span say about it: brackets that do not close, words cut at a hyphen, numbers that went missing."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.evidence import HYPHENS

Longs: TypeAlias = npt.NDArray[np.int64]

OPENING, CLOSING = frozenset("([{«“"), frozenset(")]}»”")


@dataclass(frozen=True)
class Spelling:
    """Running counts over the units of one text, so that a span's count is a difference; each of shape (units + 1,) but ``joined``.

    Attributes:
        depth: brackets opened less brackets closed; commas: commas; numbers: sum of a hash of each number; letters: characters of units.
        joined: whether unit j, a hyphen and unit j + 2 are written together, shape (units,).
    """

    depth: Longs
    commas: Longs
    numbers: Longs
    letters: Longs
    joined: npt.NDArray[np.bool_]


def spelling(text: GridText) -> Spelling:
    surfaces = [text.text[start:end] for start, end in zip(text.starts, text.ends, strict=True)]
    numbers = [zlib.crc32(kind.encode()) if kind[:1].isdigit() else 0 for kind in text.types]
    return Spelling(
        _running([(surface in OPENING) - (surface in CLOSING) for surface in surfaces]),
        _running([surface == "," for surface in surfaces]),
        _running(numbers),
        _running([len(surface) for surface in surfaces]),
        _joined(surfaces, text),
    )


def spelling_features(units: range, first: Ints, last: Ints, source: Spelling, target: Spelling) -> tuple[Floats, Floats, Floats, Floats]:
    """Of target spans first..last, inclusive, against the mention on the given source units; each of shape (spans,).

    Returns:
        brackets without partner in the span (0 where the mention has such itself); difference in the number of commas; whether the
        numbers differ; ``|log|`` of the ratio of lengths in characters.
    """
    a, b = units.start, units.stop
    unbalanced = _unbalanced(target.depth, first, last)
    if _unbalanced(source.depth, np.array([a]), np.array([b - 1]))[0]:
        unbalanced = np.zeros_like(unbalanced)
    commas = np.abs(target.commas[last + 1] - target.commas[first] - (source.commas[b] - source.commas[a]))
    numbers = target.numbers[last + 1] - target.numbers[first] != source.numbers[b] - source.numbers[a]
    ratio = np.abs(np.log((target.letters[last + 1] - target.letters[first]) / (source.letters[b] - source.letters[a])))
    return unbalanced, commas.astype(np.float64), numbers.astype(np.float64), ratio


def hyphen_cuts(
    units: range, first: Ints, last: Ints, left: int, share: Floats, source: Spelling, target: Spelling, least: float
) -> Floats:
    """How many ends of each span cut a hyphenated word whose outer part the mention has a share in, or lie on its hyphen; shape (spans,).

    An end on a hyphen is no cut where the mention on the given source units ends on one too.

    Args:
        share: the mention's share of the target units from ``left`` on.
    """
    joined, own = (np.concatenate([[False, False], text.joined, [False, False]]) for text in (target, source))
    reached = np.zeros(len(target.joined) + 4)
    reached[left + 2 : left + 2 + len(share)] = share
    before = joined[first] & (reached[first] > least)  # joined[first]: the word begins at first - 2
    after = joined[last + 2] & (reached[last + 4] > least)
    on_first, on_last = joined[first + 1] & ~own[units.start + 1], joined[last + 1] & ~own[units.stop]
    cuts: Floats = np.sum([before, after, on_first, on_last], axis=0, dtype=np.float64)
    return cuts


def _running(values: Iterable[int]) -> Longs:
    return np.concatenate([[0], np.cumsum(np.fromiter(values, dtype=np.int64))]).astype(np.int64)


def _joined(surfaces: list[str], text: GridText) -> npt.NDArray[np.bool_]:
    touch = [text.ends[unit] == text.starts[unit + 1] for unit in range(len(surfaces) - 1)]
    inner = [surfaces[unit + 1] in HYPHENS and touch[unit] and touch[unit + 1] for unit in range(len(surfaces) - 2)]
    return np.array([*inner, *[False] * min(2, len(surfaces))], dtype=bool)


@compiled()
def _unbalanced(depth, first, last):  # type: ignore[no-untyped-def]
    result = np.zeros(first.size)
    for number in range(first.size):
        start = lowest = depth[first[number]]
        for place in range(first[number] + 1, last[number] + 2):
            lowest = min(lowest, depth[place])
        closed = start - lowest
        result[number] = closed + depth[last[number] + 1] - start + closed
    return result
