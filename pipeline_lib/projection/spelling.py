"""Spelling: what the characters of a span say about it: brackets that do not close, words cut at a hyphen, numbers that went missing."""

import zlib
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.alignment.units import GridText

Longs: TypeAlias = npt.NDArray[np.int64]

OPENING, CLOSING = frozenset("([{«“"), frozenset(")]}»”")
DEPTH = dict.fromkeys(OPENING, 1) | dict.fromkeys(CLOSING, -1)
HYPHENS = frozenset("-\u2010\u2011")


class Spelling(NamedTuple):
    """Running counts over the units of one text, so that a span's count is a difference; each of shape (units + 1,) but ``hyphens``.

    Attributes:
        depth: brackets opened less brackets closed; commas: commas; numbers: sum of a hash of each number; letters: characters of units.
        hyphens: whether a unit is a hyphen that is written together with both its neighbours, shape (units,).
    """

    depth: Longs
    commas: Longs
    numbers: Longs
    letters: Longs
    hyphens: npt.NDArray[np.bool_]


def spelling(text: GridText) -> Spelling:
    surfaces = [text.text[start:end] for start, end in zip(text.starts, text.ends, strict=True)]
    numbers = [zlib.crc32(kind.encode()) if kind[:1].isdigit() else 0 for kind in text.types]
    return Spelling(
        _running([DEPTH.get(surface, 0) for surface in surfaces]),
        _running([surface == "," for surface in surfaces]),
        _running(numbers),
        _running(map(len, surfaces)),
        _joining(surfaces, text),
    )


@compiled()
def spelling_features(mention, span, source, target):  # type: ignore[no-untyped-def]
    """Of a span of target units against the mention on some source units, both (first, stop), half-open.

    Returns:
        brackets without partner in the span (0 where the mention has such itself); difference in the number of commas; whether the
        numbers differ; ``|log|`` of the ratio of lengths in characters.
    """
    alone = 0 if unpaired(source.depth, mention) else unpaired(target.depth, span)
    commas = abs(_within(target.commas, span) - _within(source.commas, mention))
    differ = 1.0 if _within(target.numbers, span) != _within(source.numbers, mention) else 0.0
    ratio = abs(np.log(_within(target.letters, span) / _within(source.letters, mention)))
    return float(alone), float(commas), differ, ratio


@compiled()
def hyphen_cuts(mention, span, left, share, source, target, least):  # type: ignore[no-untyped-def]
    """How many ends of a span cut a hyphenated word whose outer part the mention has a share in, or lie on its hyphen.

    An end on a hyphen is no cut where the mention on the given source units ends on one too.

    Args:
        mention, span: of the source and of the target, (first, stop), half-open; share: the mention's of the target units from ``left`` on.
    """
    first, last = span[0], span[1] - 1
    own, theirs = source.hyphens, target.hyphens
    cuts = int(theirs[first] and not own[mention[0]]) + int(theirs[last] and not own[mention[1] - 1])
    if first > 0 and theirs[first - 1]:
        cuts += at(share, first - 2 - left) > least
    if last + 1 < theirs.size and theirs[last + 1]:
        cuts += at(share, last + 2 - left) > least
    return cuts


@compiled()
def unpaired(depth, span):  # type: ignore[no-untyped-def]
    """Brackets of a span without partner in it."""
    start, end = depth[span[0]], depth[span[1]]
    lowest = depth[span[0] : span[1] + 1].min()
    return start - lowest + end - lowest


@compiled()
def _within(running, span):  # type: ignore[no-untyped-def]
    return running[span[1]] - running[span[0]]


@compiled()
def at(values, place):  # type: ignore[no-untyped-def]
    """The value at a place, 0 beyond the ends."""
    return values[place] if 0 <= place < values.size else 0.0


def _running(values: Iterable[int]) -> Longs:
    return np.cumsum(np.fromiter((0, *values), dtype=np.int64))


def _joining(surfaces: list[str], text: GridText) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(surfaces), dtype=np.bool_)
    for unit in range(1, len(surfaces) - 1):
        if surfaces[unit] in HYPHENS:
            found[unit] = text.ends[unit - 1] == text.starts[unit] and text.ends[unit] == text.starts[unit + 1]
    return found
