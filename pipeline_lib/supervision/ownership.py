"""Ownership: which mention each gold span belongs to, and so which candidate is the right one.

A gold span belongs to the mention of its label whose own unsupervised span overlaps it most (Dice), one mention a span and one span a
mention: "equals any gold span" would call the inner span of nested mentions right for the outer one too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.evaluation.gold import Mention
from pipeline_lib.projection.offsets import characters
from pipeline_lib.projection.scoring import Pool
from pipeline_lib.supervision.mentions import mention_runs

Span = Mention
Fragments = Mapping[tuple[str, str], tuple[list[int], list[int]]]  # starts and ends of the fragments, by document and mention


@dataclass(frozen=True)
class Lesson:
    """What gold says of the candidates.

    Attributes:
        right: whether each candidate is its mention's gold span, shape (candidates,).
        counts: whether its mention is one to learn from: a whole one of a declared document, shape (candidates,).
    """

    right: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.bool_]


def own(mentions: Sequence[Span], gold: Sequence[Span]) -> dict[int, int]:
    """The gold span of every mention that owns one, by number."""
    return closest({(i, j): dice(mention, span) for i, mention in enumerate(mentions) for j, span in enumerate(gold)})


def closest(overlaps: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """One to one, the pairs that overlap most first; pairs that do not overlap belong to nobody."""
    owned: dict[int, int] = {}
    taken: set[int] = set()
    for (i, j), overlap in sorted(overlaps.items(), key=lambda pair: (-pair[1], pair[0])):
        if overlap > 0 and i not in owned and j not in taken:
            owned[i] = j
            taken.add(j)
    return owned


def dice(one: Span, other: Span) -> float:
    """Overlap of two spans of one label; 0 where the labels differ."""
    shared = min(one[2], other[2]) - max(one[1], other[1])
    return 2 * shared / (one[2] - one[1] + other[2] - other[1]) if one[0] == other[0] and shared > 0 else 0.0


def lesson(
    found: Pool,
    likely: Floats,
    gold: Mapping[str, Sequence[Span]],
    fragments: Fragments,
    source: Mapping[str, GridText],
    target: Mapping[str, GridText],
) -> Lesson:
    """Right and wrong candidates of the documents that ``gold`` holds.

    Args:
        likely: unsupervised probability of each candidate, shape (candidates,).
    """
    right, counts = np.zeros(len(found.owner), dtype=bool), np.zeros(len(found.owner), dtype=bool)
    starts, sizes = mention_runs(found.owner)
    rows = found.table.select(["document", "mention", "fragment", "label", "source_first"]).take(found.owner[starts]).to_pylist()
    of_document: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row["document"] in gold:
            of_document.setdefault(row["document"], []).append(number)
    for document, numbers in of_document.items():
        texts = source[document], target[document]
        spans = {n: _spans(found, slice(starts[n], starts[n] + sizes[n]), rows[n], fragments, *texts) for n in numbers}
        whole = _envelopes(rows, {n: spans[n][int(np.argmax(likely[starts[n] : starts[n] + sizes[n]]))] for n in numbers})
        owned = own([span for _, span in whole], gold[document])
        for place, (members, _) in enumerate(whole):
            if len(members) == len(fragments[document, rows[members[0]]["mention"]][0]) == 1:
                (n,) = members
                counts[starts[n] : starts[n] + sizes[n]] = True
                if place in owned:
                    right[starts[n] : starts[n] + sizes[n]] = [span == gold[document][owned[place]][1:] for span in spans[n]]
    return Lesson(right, counts)


def _spans(
    found: Pool, which: slice, row: Mapping[str, object], fragments: Fragments, source: GridText, target: GridText
) -> list[tuple[int, int]]:
    """Offsets of a fragment's candidates, as a projection would have them."""
    starts, ends = fragments[str(row["document"]), str(row["mention"])]
    start, end = starts[int(str(row["fragment"]))], ends[int(str(row["fragment"]))]
    units = source.units_of(start, end)
    places = zip(found.first[which].tolist(), found.last[which].tolist(), strict=True)
    return [characters(units, place, start, end, source, target) for place in places]


def _envelopes(rows: Sequence[Mapping[str, object]], best: Mapping[int, tuple[int, int]]) -> list[tuple[list[int], Span]]:
    """Each mention's fragments, by number, and the span from its first start to its last end."""
    members: dict[object, list[int]] = {}
    for number in best:
        members.setdefault(rows[number]["mention"], []).append(number)
    return [
        (numbers, (str(rows[numbers[0]]["label"]), min(best[n][0] for n in numbers), max(best[n][1] for n in numbers)))
        for numbers in members.values()
    ]


def fragments_of(mentions: Iterable[Mapping[str, object]]) -> dict[tuple[str, str], tuple[list[int], list[int]]]:
    """Fragments of rows of MENTIONS."""
    return {(str(row["document"]), str(row["mention"])): (row["starts"], row["ends"]) for row in mentions}  # type: ignore[misc]
