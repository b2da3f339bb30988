"""Units: the words, numbers and single other characters of a text, with code-point offsets.

Every later stage speaks units, whatever tokenizer an encoder brings.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyarrow as pa
import regex

from data_contracts.corpus import UNITS

# Numbers keep their inner separators; letters keep marks, soft hyphens and joiners; anything else is one grapheme with all its marks.
# White space is what str.isspace says, so \x1c to \x1f too; a grapheme may hold it (U+0600 and a space), a unit may not.
UNIT = regex.compile(
    r"(?>\p{Nd}+(?:[.,]\p{Nd}+)*)(?![\p{M}\u200c\u200d])"
    r"|(?:\p{L}[\p{M}\u00ad\u200c\u200d]*)+"
    r"|(?![\s\x1c-\x1f])(?:(?!\p{GCB=Prepend}+\s)\X|.)[\p{M}\u200c\u200d]*"
)
NUMBER = regex.compile(r"\p{Nd}+(?:[.,]\p{Nd}+)*")
Cut = Callable[[str], list[tuple[int, int]]]
SENTENCE_END = frozenset(".!?…")


@dataclass(frozen=True, slots=True)
class Units:
    """The grid of one text.

    Attributes:
        starts, ends: offsets of each unit, code points, half-open.
        breaks: index of the first unit of each segment (sentence-like piece).
    """

    starts: list[int]
    ends: list[int]
    breaks: list[int]


def split_units(text: str, cut: Cut | None = None) -> Units:
    """The units of ``text`` and the segments they form; all lists are empty for a text of white space.

    ``cut`` gives the units' spans, ascending and disjoint; without it they are words.
    """
    spans = cut(text) if cut else [match.span() for match in UNIT.finditer(text)]
    breaks = [0] if spans else []
    for index in range(1, len(spans)):
        before, here = spans[index - 1], spans[index]
        if _starts_segment(text, before, here):
            breaks.append(index)
    return Units([start for start, _ in spans], [end for _, end in spans], breaks)


def _starts_segment(text: str, before: tuple[int, int], here: tuple[int, int]) -> bool:
    gap = text[before[1] : here[0]]
    if "\n" in gap or "\r" in gap:
        return True
    first = text[here[0]]
    return bool(gap) and text[before[0]] in SENTENCE_END and not first.islower()


@lru_cache(maxsize=1 << 16)  # a few thousand words make most of any text
def fold(surface: str) -> str:
    """The type of a unit, for statistics only: case and accents dropped, one decimal separator.

    Example: ``fold("Úlcera") == "ulcera"``, ``fold("2,5") == "2.5"``.
    """
    if NUMBER.fullmatch(surface):
        return surface.replace(",", ".")
    decomposed = unicodedata.normalize("NFKD", surface)
    kept = "".join(char for char in decomposed if not unicodedata.category(char).startswith(("M", "Cf")))
    return kept.strip().casefold() or unicodedata.normalize("NFC", surface)


@dataclass(frozen=True)
class GridText:
    """A text on its grid: units and segments as stored, types on demand."""

    text: str
    starts: list[int]
    ends: list[int]
    breaks: list[int]

    @cached_property
    def types(self) -> list[str]:
        """The folded type of every unit, in order."""
        return [fold(self.text[start:end]) for start, end in zip(self.starts, self.ends, strict=True)]

    def __getitem__(self, units: slice) -> "GridText":
        """A piece of the text, from its first unit to its last one."""
        first, last, _ = units.indices(len(self.starts))
        if last <= first:
            return GridText("", [], [], [])
        origin = self.starts[first]
        starts, ends = ([place - origin for place in edges[first:last]] for edges in (self.starts, self.ends))
        breaks = [0, *(place - first for place in self.breaks if first < place < last)]
        return GridText(self.text[origin : self.ends[last - 1]], starts, ends, breaks)

    def units_of(self, start: int, end: int) -> range:
        """Indices of the units that overlap [start, end)."""
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end)
        return range(first, max(first, last))


def units_table(documents: pa.Table, cut: Cut | None = None) -> pa.Table:
    """UNITS for every row of DOCUMENTS, in the same order."""
    rows = []
    for row in documents.select(["document", "lang", "text"]).to_pylist():
        units = split_units(row["text"], cut)
        rows.append({"document": row["document"], "lang": row["lang"], "starts": units.starts, "ends": units.ends, "breaks": units.breaks})
    return UNITS.table(rows)


def grid_texts(documents: pa.Table, units: pa.Table) -> dict[str, GridText]:
    """DOCUMENTS and UNITS of one language joined, by document id, in document order."""
    texts = dict(zip(documents["document"].to_pylist(), documents["text"].to_pylist(), strict=True))
    return {row["document"]: GridText(texts[row["document"]], row["starts"], row["ends"], row["breaks"]) for row in units.to_pylist()}
