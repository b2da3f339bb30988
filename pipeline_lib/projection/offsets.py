"""Offsets: from target units to code points, and what becomes of fragments that meet."""

import unicodedata

from pipeline_lib.alignment.units import GridText

Place = tuple[int, int]  # target units, first and last, inclusive


def characters(units: range, place: Place, start: int, end: int, source: GridText, target: GridText) -> tuple[int, int]:
    """Offsets of the placed units; a mention that cuts a source unit cuts its target unit alike, where both share the part cut off."""
    whole = target.starts[place[0]], target.ends[place[1]]
    head = source.text[source.starts[units[0]] : start]
    tail = source.text[end : source.ends[units[-1]]]
    surface, (low, high) = target.text[slice(*whole)], whole
    if len(surface) > len(head) + len(tail):
        if head and surface.startswith(head) and not _is_mark(surface[len(head)]):
            low += len(head)
        if tail and surface.endswith(tail) and not _is_mark(tail[0]):
            high -= len(tail)
    kept = target.text[low:high]
    low += len(kept) - len(kept.lstrip())
    return (low, low + len(kept.strip())) if kept.strip() else whole


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def merge(pieces: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """Join pieces (start, end, first unit, last unit) whose units touch or overlap."""
    merged: list[tuple[int, int, int]] = []
    for start, end, first, last in pieces:
        if merged and first <= merged[-1][2] + 1:
            previous = merged.pop()
            merged.append((min(previous[0], start), max(previous[1], end), max(previous[2], last)))
        else:
            merged.append((start, end, last))
    return [(start, end) for start, end, _ in merged]
