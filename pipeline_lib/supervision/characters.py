"""Characters: what a candidate and its surroundings look like, and how much they look like the mention; never which word it is."""

from collections.abc import Mapping

import numpy as np

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.scoring import Pool
from pipeline_lib.supervision.mentions import mention_runs, source_units

KINDS = ("before", "first", "last", "after")
CHARACTERS = (
    *(f"kind_{place}" for place in KINDS),
    *(f"size_{place}" for place in KINDS),
    "touches_before",
    "touches_after",
    "breaks_inside",
    "signed_length_ratio",
    "alike_first",
    "alike_last",
    "source_kind_first",
    "source_kind_last",
)
OUTSIDE, LETTERS, CAPITALS, DIGITS, HYPHEN, COMMA, STOP, BRACKET, OTHER = range(9)
_SIGNS = {"-": HYPHEN, ",": COMMA, ";": STOP, ".": STOP, ":": STOP, "(": BRACKET, ")": BRACKET}


def character_features(found: Pool, source: Mapping[str, GridText], target: Mapping[str, GridText]) -> Floats:
    """Shape (candidates, characters), in the order of ``CHARACTERS``."""
    starts, sizes = mention_runs(found.owner)
    rows = found.owner[starts].tolist()
    documents = found.table["document"].to_pylist()
    places = found.table["source_first"].to_pylist()
    units = source_units(found).tolist()
    looked_at: dict[str, _Look] = {}
    parts = []
    for start, size, row in zip(starts.tolist(), sizes.tolist(), rows, strict=True):
        document = documents[row]
        if document not in looked_at:
            looked_at = {document: _Look(target[document])}
        own = source[document]
        first, last = places[row], places[row] + units[row] - 1
        mention = (_surface(own, first), _surface(own, last), own.ends[last] - own.starts[first])
        parts.append(looked_at[document].features(found.first[start : start + size], found.last[start : start + size], mention))
    return np.concatenate(parts)


class _Look:
    """One target text, unit by unit, with a place outside at either end."""

    def __init__(self, text: GridText) -> None:
        self.surfaces = [text.text[start:end] for start, end in zip(text.starts, text.ends, strict=True)]
        self.kinds = np.array([OUTSIDE, *map(kind, self.surfaces), OUTSIDE], dtype=np.float64)
        self.sizes = np.array([0, *map(len, self.surfaces), 0], dtype=np.float64)
        self.starts, self.ends = np.array(text.starts), np.array(text.ends)
        self.touches = np.array([False, *(self.ends[:-1] == self.starts[1:]), False])
        self.begins = np.zeros(len(self.starts) + 1)
        self.begins[1:] = np.cumsum(np.isin(np.arange(len(self.starts)), text.breaks))

    def features(self, first, last, mention: tuple[str, str, int]) -> Floats:  # type: ignore[no-untyped-def]
        at = np.stack([first, first + 1, last + 1, last + 2], axis=1)
        length = self.ends[last] - self.starts[first]
        alike_first = [alike(mention[0], self.surfaces[unit]) for unit in first.tolist()]
        alike_last = [alike(mention[1], self.surfaces[unit]) for unit in last.tolist()]
        same = np.ones(len(first))
        return np.column_stack(
            [
                self.kinds[at],
                self.sizes[at],
                self.touches[first],
                self.touches[last + 1],
                self.begins[last + 1] - self.begins[first + 1],
                np.log(length / mention[2]),
                alike_first,
                alike_last,
                same * kind(mention[0]),
                same * kind(mention[1]),
            ]
        )


def kind(surface: str) -> int:
    """What sort of unit it is."""
    if surface in _SIGNS:
        return _SIGNS[surface]
    if surface[0].isdigit():
        return DIGITS
    if surface[0].isalpha():
        return LETTERS if surface.islower() else CAPITALS
    return OTHER


def alike(one: str, other: str) -> float:
    """Share of the longer one that both begin with, case aside."""
    a, b = one.casefold(), other.casefold()
    common = next((number for number, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return common / max(len(a), len(b))


def _surface(text: GridText, unit: int) -> str:
    return text.text[text.starts[unit] : text.ends[unit]]
