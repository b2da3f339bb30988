"""Occurrences: mentions of one source surface in one document share out the target's occurrences among them.

No two of them take the same target span while another that reads the same stands free, and their order in the text is kept.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from pipeline_lib.alignment.band import Floats, Ints

NEVER = 1e6  # cost of a span that is no candidate of a mention


@dataclass(frozen=True)
class Choice:
    """What one mention may become.

    Attributes:
        row: its row in CANDIDATES; surface: document and source surface, what makes mentions compete; place: first source unit.
        numbers: of its candidates in the pool; first, last: their target units, inclusive; likely: their probabilities.
    """

    row: int
    surface: tuple[str, str]
    place: int
    numbers: npt.NDArray[np.int64]
    first: Ints
    last: Ints
    likely: Floats

    @property
    def best(self) -> int:
        """Number of the likeliest candidate in the pool."""
        return int(self.numbers[np.argmax(self.likely)])

    def span(self, number: int) -> tuple[int, int]:
        """First and last target unit of a candidate."""
        at = number - int(self.numbers[0])
        return int(self.first[at]), int(self.last[at])

    def number(self, span: tuple[int, int], otherwise: int) -> int:
        """The candidate on these target units."""
        at = np.flatnonzero((self.first == span[0]) & (self.last == span[1]))
        return int(self.numbers[at[0]]) if len(at) else otherwise


def resolve(choices: list[Choice]) -> dict[int, int]:
    """The candidate of every mention, by row: the likeliest, but where mentions of one surface collide, the likeliest assignment.

    Mentions on the same source units, under several labels, do not compete.
    """
    picked = {choice.row: choice.best for choice in choices}
    rivals: dict[tuple[str, str], dict[int, Choice]] = {}
    for choice in choices:
        rivals.setdefault(choice.surface, {}).setdefault(choice.place, choice)
    for places in rivals.values():
        group = [places[place] for place in sorted(places)]
        if len(group) > 1 and _collide([choice.span(picked[choice.row]) for choice in group]):
            picked |= _assign(group)
    for choice in choices:
        first = rivals[choice.surface][choice.place]
        picked[choice.row] = choice.number(first.span(picked[first.row]), otherwise=picked[choice.row])
    return picked


def _collide(spans: list[tuple[int, int]]) -> bool:
    return any(after[0] <= before[1] for before, after in pairwise(sorted(spans)))


def _assign(group: list[Choice]) -> dict[int, int]:
    """One span each of those that do not overlap, where there are enough; else a mention keeps its likeliest."""
    spans = _disjoint(group)
    cost = np.full((len(group), len(spans)), NEVER)
    number_of: dict[tuple[int, int], int] = {}
    for row, choice in enumerate(group):
        for number, first, last, likely in zip(choice.numbers, choice.first.tolist(), choice.last.tolist(), choice.likely, strict=True):
            if (first, last) in spans:
                cost[row, spans.index((first, last))] = -np.log(max(likely, 1e-12))
                number_of[choice.row, spans.index((first, last))] = int(number)
    rows, columns = linear_sum_assignment(cost)
    columns = _in_order(rows, columns, cost)
    return {group[r].row: number_of[group[r].row, c] for r, c in zip(rows, columns, strict=True) if cost[r, c] < NEVER}


def _disjoint(group: list[Choice]) -> list[tuple[int, int]]:
    """Spans that no two overlap, likeliest first, in the order of the text."""
    best: dict[tuple[int, int], float] = {}
    for choice in group:
        for first, last, likely in zip(choice.first.tolist(), choice.last.tolist(), choice.likely.tolist(), strict=True):
            best[first, last] = max(best.get((first, last), 0.0), likely)
    taken: list[tuple[int, int]] = []
    for span in sorted(best, key=lambda span: (-best[span], span)):
        if not _collide([*taken, span]):
            taken.append(span)
    return sorted(taken)


def _in_order(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], cost: Floats) -> npt.NDArray[np.int64]:
    """The same spans in the mentions' order, if every mention may take the one it then gets."""
    ordered = np.sort(columns)
    return ordered if (cost[rows, ordered] < NEVER).all() else columns
