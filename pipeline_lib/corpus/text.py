"""Bytes to text, and which reading of the text an annotator's offsets count in.

Offsets are Unicode code points, 0-based, half-open. Nothing here normalises Unicode: that would move them.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

BOM = "\ufeff"


class NotUtf8(ValueError):
    """The bytes are not UTF-8. The message holds the byte offset only."""


class Annotated(Protocol):
    """What claims a piece of a text: fragments in code points and the surface they are said to hold."""

    @property
    def starts(self) -> tuple[int, ...]: ...
    @property
    def ends(self) -> tuple[int, ...]: ...
    @property
    def surface(self) -> str: ...


def decode(data: bytes) -> str:
    """The text of UTF-8 ``data``, a leading BOM and CRLF kept. Raises ``NotUtf8``."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start
    # Raised out here, not with `from None`: that only hides the decode error, whose `object` is the whole file.
    raise NotUtf8(f"not UTF-8 at byte {offset}")


def readings(text: str) -> Iterator[tuple[str, str]]:
    """The distinct readings of ``text`` as (name, text), the likeliest first: brat counts CRLF as one character."""
    crlf, bom = "\r\n" in text, text.startswith(BOM)
    if crlf:
        yield "lf", text.replace("\r\n", "\n")
    yield "raw", text
    if bom:
        yield "nobom", text.removeprefix(BOM)
    if crlf and bom:
        yield "lf-nobom", text.removeprefix(BOM).replace("\r\n", "\n")


def choose_reading(text: str, mentions: Iterable[Annotated]) -> tuple[str, str]:
    """The reading (name, text) under which the most mentions match their surface, the first on ties.

    So a text without mentions is read as brat reads it: CRLF is one character, a BOM is counted.
    """
    candidates, claims = list(readings(text)), list(mentions)
    scores = [sum(matches(candidate, claim) for claim in claims) for _, candidate in candidates]
    return candidates[scores.index(max(scores))]


def offset_map(text: str, reading: str, other: str) -> Callable[[int], int]:
    """From offsets in one reading of ``text`` to those in another: the first place there that is not before it."""
    here, there = (_origins(text, name) for name in (reading, other))
    return lambda offset: bisect_left(there, here[min(offset, len(here) - 1)])


def _origins(text: str, reading: str) -> list[int]:
    """Where each character of a reading, and its end, lies in ``text``."""
    lf, nobom = reading.startswith("lf"), reading.endswith("nobom")
    dropped = {at.start() for at in re.finditer("\r\n", text)} if lf else set()
    dropped |= {0} if nobom else set()
    return [place for place in range(len(text) + 1) if place not in dropped]


def slices(text: str, starts: Sequence[int], ends: Sequence[int]) -> str:
    """The fragments' slices of ``text`` in the order given, joined by one space."""
    return " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def matches(text: str, claim: Annotated) -> bool:
    """Whether the claimed surface is what ``text`` holds there; one white space character is as good as another.

    brat writes a line break inside a mention as a space.
    """
    found = slices(text, claim.starts, claim.ends)
    return found == claim.surface or _blanked(found) == _blanked(claim.surface)


def _blanked(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text)
