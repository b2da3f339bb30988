"""Background documents of any number, recombined from the bundled sample's segments, with gold in every language.

A segment is a line of a sample document in all its languages; lines that share a mention are one segment. Document k of a seed
depends on the two alone, so a small collection is the beginning of a large one.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from statistics import NormalDist

from pipeline_lib.corpus import samples
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.text import slices

SOURCE = "es"
TARGETS = tuple(lang for lang in samples.LANGUAGES if lang != SOURCE)

# Characters of the source: log-normal, clipped. With this spread the mean is 1.16 times the median, and one document in 12,000 is clipped
# at the longest.
MEDIAN, SPREAD = 2150, 0.55
SHORTEST, LONGEST = 300, 17_000

_MARK = re.compile(r"</?([dsp][0-9]+)>")


@dataclass(frozen=True, slots=True)
class NumberedMention:
    """A mention of a segment.

    Attributes:
        number: from 1, in the reading order of the source; the same in every language.
        starts: first code point of each fragment in the segment's text, with ``ends`` 0-based and half-open.
    """

    number: int
    label: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    surface: str

    def line(self, offset: int, numbered: int) -> str:
        """Its line in a document, with ``offset`` code points and ``numbered`` mentions of the source before the segment."""
        spans = ";".join([f"{start + offset} {end + offset}" for start, end in zip(self.starts, self.ends, strict=True)])
        return f"T{self.number + numbered}\t{self.label} {spans}\t{self.surface}\n"


@dataclass(frozen=True, slots=True)
class Side:
    """One language of a segment; its mentions by number. One that was lost in translation is not there."""

    text: str
    mentions: tuple[NumberedMention, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """What is never torn apart: some lines of a document, the same ones in every language."""

    sides: Mapping[str, Side]

    @property
    def source(self) -> Side:
        return self.sides[SOURCE]


@dataclass(frozen=True, slots=True)
class Composed:
    """A document in one language: its text, its ``.ann``, and how many mentions that holds."""

    text: str
    annotations: str
    mentions: int


def sample_segments() -> tuple[Segment, ...]:
    """All segments of the bundled sample."""
    return tuple(
        segment
        for document in samples.documents()
        for segment in segments_of(document, {lang: samples.marked(document, lang) for lang in samples.LANGUAGES})
    )


def segments_of(document: str, marked: Mapping[str, str]) -> Iterator[Segment]:
    """The segments of one document, from its marked text in each language.

    Raises:
        ValueError: the languages differ in their number of lines, or a translation has a mention where the source has none.
    """
    lines = {lang: text.split("\n") for lang, text in marked.items()}
    if len({len(of_lang) for of_lang in lines.values()}) > 1:
        raise ValueError(f"{document}: the languages differ in their number of lines")
    for first, end in pairwise([0, *_borders(lines), len(lines[SOURCE])]):
        parts = {lang: "\n".join(of_lang[first:end]) for lang, of_lang in lines.items()}
        numbers = {mention.name: number for number, mention in enumerate(parse_marks(parts[SOURCE])[1], start=1)}
        for lang, part in parts.items():
            if unknown := set(_MARK.findall(part)) - numbers.keys():
                raise ValueError(f"{document}: {len(unknown)} mentions of {lang} are none of the source")
        yield Segment({lang: _side(part, numbers) for lang, part in parts.items()})


def draw(seed: int, number: int, segments: Sequence[Segment]) -> list[Segment]:
    """The segments of document ``number``, in order, none twice: as many as come nearest to a length that is drawn first.

    Joined by line breaks they have at most ``LONGEST`` characters in the source, unless a single one has more.
    """
    # Of `random` only the stream of random() is promised to stay the same from one Python to the next.
    chance = random.Random(f"spanferry synth {seed} {number}").random
    wanted = length_at(chance())
    left, drawn, length = list(segments), list[Segment](), -1
    while left:
        pick = int(chance() * len(left))
        longer = length + 1 + len(left[pick].source.text)
        if drawn and (longer > LONGEST or longer - wanted > wanted - length):
            break
        left[pick], left[-1] = left[-1], left[pick]
        drawn.append(left.pop())
        length = longer
    return drawn


def length_at(quantile: float) -> int:
    """Characters of the source that this share of all documents shall not exceed."""
    inside = min(max(quantile, 1e-12), 1 - 1e-12)
    return min(max(round(MEDIAN * exp(SPREAD * NormalDist().inv_cdf(inside))), SHORTEST), LONGEST)


def compose(segments: Sequence[Segment], lang: str) -> Composed:
    """The document of these segments in one language.

    Ids count up in the reading order of the source, and a mention has its own in every language: one that was lost leaves a gap.
    """
    lines: list[str] = []
    offset = numbered = 0
    for segment in segments:
        side = segment.sides[lang]
        lines += [mention.line(offset, numbered) for mention in side.mentions]
        offset += len(side.text) + 1
        numbered += len(segment.source.mentions)
    return Composed("\n".join([segment.sides[lang].text for segment in segments]), "".join(lines), len(lines))


def document_id(number: int) -> str:
    return f"synth-{number:06d}"


def _borders(lines: Mapping[str, Sequence[str]]) -> list[int]:
    """The lines before which a document may be cut: no mention has parts on both sides, be it of two languages."""
    places: dict[str, list[int]] = {}
    for of_lang in lines.values():
        for place, line in enumerate(of_lang):
            for name in _MARK.findall(line):
                places.setdefault(name, []).append(place)
    held = {border for found in places.values() for border in range(min(found) + 1, max(found) + 1)}
    return [border for border in range(1, len(lines[SOURCE])) if border not in held]


def _side(marked: str, numbers: Mapping[str, int]) -> Side:
    text, mentions = parse_marks(marked)
    numbered = [
        NumberedMention(numbers[found.name], found.label, found.starts, found.ends, slices(text, found.starts, found.ends))
        for found in mentions
    ]
    return Side(text, tuple(sorted(numbered, key=lambda mention: mention.number)))
