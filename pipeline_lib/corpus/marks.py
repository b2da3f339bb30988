"""Inline marks: ``<d1>asthma</d1>`` in a text becomes a mention with offsets in the plain text.

A mark is named by its label's letter and a number. Marks may nest and cross; one name used more than once is one
discontinuous mention. The same name in another language's text is the translation of that mention.
"""

import re
from dataclasses import dataclass

LABELS = {"d": "DISEASE", "s": "SYMPTOM", "p": "PROCEDURE"}

# An angle bracket that belongs to no mark is matched too, to be refused.
_TOKEN = re.compile(r"<(?P<close>/?)(?P<name>[dsp][0-9]{1,6})>|[<>]")


class MarkError(ValueError):
    """The marks are not well formed. The message names the mark and its offset in the marked text, never the text itself."""


@dataclass(frozen=True, slots=True)
class MarkedMention:
    """A mention and the name that it shares with its translations.

    Attributes:
        starts: first code point of each fragment in the plain text, ascending; with ``ends`` 0-based and half-open.
    """

    name: str
    label: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def parse_marks(marked: str) -> tuple[str, list[MarkedMention]]:
    """The plain text and its mentions in order of first offset, the longest first.

    Raises:
        MarkError: a mark is closed unopened, opened twice, never closed, empty or edged with white space,
            or an angle bracket belongs to no mark.
    """
    pieces: list[str] = []
    fragments: dict[str, list[tuple[int, int]]] = {}
    opened: dict[str, tuple[int, int]] = {}
    read = length = 0
    for token in _TOKEN.finditer(marked):
        pieces.append(marked[read : token.start()])
        length += len(pieces[-1])
        read = token.end()
        name, closes = _name(token), bool(token["close"])
        if closes == (name not in opened):
            raise MarkError(f"mark {name} {'closed unopened' if closes else 'opened twice'} at offset {token.start()}")
        if closes:
            start, _ = opened.pop(name)
            fragments.setdefault(name, []).append((start, length))
        else:
            opened[name] = length, token.start()
    for name, (_, offset) in opened.items():
        raise MarkError(f"mark {name} never closed, opened at offset {offset}")
    plain = "".join(pieces) + marked[read:]
    return plain, sorted((_mention(name, found, plain) for name, found in fragments.items()), key=_reading_order)


def _name(token: re.Match[str]) -> str:
    name = token["name"]
    if name is None:
        raise MarkError(f"angle bracket of no mark at offset {token.start()}")
    return str(name)


def _mention(name: str, fragments: list[tuple[int, int]], plain: str) -> MarkedMention:
    for start, end in fragments:
        if start == end or plain[start].isspace() or plain[end - 1].isspace():
            raise MarkError(f"mark {name} empty or edged with white space at plain offset {start}")
    starts, ends = zip(*sorted(fragments), strict=True)
    return MarkedMention(name, LABELS[name[0]], starts, ends)


def _reading_order(mention: MarkedMention) -> tuple[int, int, str]:
    return mention.starts[0], -mention.ends[-1], mention.name
