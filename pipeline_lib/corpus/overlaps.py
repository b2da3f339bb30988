"""Mentions of one label that lie on each other. Those of different labels do so as a matter of course."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from pipeline_lib.corpus.brat import Mention


def same_label_overlaps(mentions: Iterable[Mention]) -> Iterator[tuple[str, Mention]]:
    """(`same_label_identical`, `_nested` or `_crossing`, mention), each mention once a relation, however often it is so related.

    Named is the later of two identical mentions, the inner of two nested ones, and of two that cross the one that starts later.
    Discontinuous mentions count from first start to last end.
    """
    for _, alike in groupby(sorted(mentions, key=attrgetter("label")), key=attrgetter("label")):
        yield from _overlaps(alike)


def _overlaps(mentions: Iterable[Mention]) -> Iterator[tuple[str, Mention]]:
    """Sweep in the order of starts, outer before inner; ``ends`` holds the ends of all spans met so far, ascending."""
    ends: list[int] = []
    for (start, end), group in groupby(sorted(mentions, key=_outer_first), key=_envelope):
        met = bisect_right(ends, start)
        crossed = met < len(ends) and ends[met] < end
        nested = bool(ends) and ends[-1] >= end
        fragments: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
        for mention in group:
            shape = mention.starts, mention.ends
            if shape in fragments:
                yield "same_label_identical", mention
            if nested or len(fragments) > (shape in fragments):
                yield "same_label_nested", mention
            if crossed:
                yield "same_label_crossing", mention
            fragments.add(shape)
        insort(ends, end)


def _envelope(mention: Mention) -> tuple[int, int]:
    return min(mention.starts), max(mention.ends)


def _outer_first(mention: Mention) -> tuple[int, int, int]:
    start, end = _envelope(mention)
    return start, -end, mention.line
