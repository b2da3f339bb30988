"""What is taken although it is irregular: where, and which expectation it bends. Holds no text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from pipeline_lib.corpus.annotation_lines import Line
from pipeline_lib.corpus.brat import Mention, Standoff, format_mention, verbatim
from pipeline_lib.corpus.companions import KINDS, Companion, parse_companion
from pipeline_lib.corpus.overlaps import same_label_overlaps
from pipeline_lib.corpus.text import BOM

TEXT_RULES = {
    "bom": "a text starts with no byte order mark",
    "not_nfc": "a text is in Unicode normal form C",
    "non_breaking_space": "a space is an ordinary space",
    "soft_hyphen": "a text holds no soft hyphens",
    "zero_width": "every character of a text has a width",
    "tab": "a text holds no tabs",
    "control_character": "a text holds no control characters but tabs and line breaks",
    "line_separator": "a line break is a line feed, no Unicode separator",
    "lone_carriage_return": "a carriage return is followed by a line feed",
    "crlf": "a line break is a line feed alone",
    "replacement_character": "no character was lost in an earlier decoding",
}
FILE_RULES = {
    "bom_in_annotations": "an .ann starts with no byte order mark",
    "crlf_in_annotations": "a line of an .ann ends in a line feed alone",
    "no_final_newline": "the last line of an .ann ends in a line feed",
    "empty_annotations": "an .ann has at least one line",
    "blank_line": "no line of an .ann is blank",
    "unknown_line": "a line of an .ann starts with an id of a known kind and a tab",
}
LINE_RULES = {
    "malformed_line": "a line that goes with mentions names its id, type and what it refers to",
    "repeated_id": "a line's id is unique in its file",
    "dangling_reference": "what a line refers to is in its file",
}
MENTION_RULES = {
    "discontinuous": "a mention is one stretch of text",
    "fragments_out_of_order": "fragments stand in the order of the text",
    "overlapping_fragments": "fragments of a mention share no character",
    "edge_whitespace": "a fragment neither starts nor ends in white space",
    "cut_word": "a fragment starts and ends between words",
    "line_break_in_mention": "a mention lies within one line of the text",
    "broken_over_lines": "a mention is one line of its .ann",
    "white_space_differs": "a line repeats the mention's white space as it is, but for line breaks",
    "same_label_identical": "no two mentions of a label are the same span",
    "same_label_nested": "no mention lies within another one of its label, from first start to last end",
    "same_label_crossing": "mentions of a label do not cross, from first start to last end",
}
RULES = TEXT_RULES | FILE_RULES | LINE_RULES | MENTION_RULES

_IN_TEXT = {
    "bom": re.compile(r"\A\ufeff"),
    "non_breaking_space": re.compile(r"[\u00a0\u2007\u202f]"),
    "soft_hyphen": re.compile(r"\u00ad"),
    "zero_width": re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069]|(?<!\A)\ufeff"),
    "tab": re.compile(r"\t"),
    "control_character": re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    "line_separator": re.compile(r"[\u2028\u2029]"),
    "lone_carriage_return": re.compile(r"\r(?!\n)"),
    "crlf": re.compile(r"\r\n"),
    "replacement_character": re.compile(r"\ufffd"),
}
# No ASCII character composes with what stands before it, so each of these pieces is in normal form C or not by itself.
_PIECE = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")


@dataclass(frozen=True, slots=True)
class Irregularity:
    """A row of WARNINGS but for its file.

    Attributes:
        line: of the ``.ann``, None for what is in the text or is the whole file's.
        start, end: code points of the text, half-open, of the first occurrence; None where it has no place there.
        count: times it is so in this place.
    """

    code: str
    rule: str
    line: int | None
    start: int | None
    end: int | None
    count: int = 1


def text_irregularities(text: str) -> list[Irregularity]:
    """What is irregular in a text: a code once, with its first occurrence and the number of all."""
    found = {code: [match.span() for match in pattern.finditer(text)] for code, pattern in _IN_TEXT.items()}
    found["not_nfc"] = [] if unicodedata.is_normalized("NFC", text) else list(_not_nfc(text))
    return [Irregularity(code, RULES[code], None, *found[code][0], len(found[code])) for code in TEXT_RULES if found[code]]


def annotation_irregularities(standoff: Standoff, text: str) -> list[Irregularity]:
    """What is irregular in annotations that were checked against ``text``: a mention or line once a code, in the order of lines."""
    found = [*_of_file(standoff), *_of_lines(standoff)]
    for mention in standoff.mentions:
        found += [_of_mention(code, mention, count) for code, holds in _IN_MENTION.items() if (count := holds(mention, text))]
    found += [_of_mention(code, mention) for code, mention in same_label_overlaps(standoff.mentions)]
    return sorted(found, key=lambda row: (row.line or 0, row.code))


def _not_nfc(text: str) -> Iterator[tuple[int, int]]:
    for piece in _PIECE.finditer(text):
        if not unicodedata.is_normalized("NFC", piece[0]):
            yield piece.span()


def _of_file(standoff: Standoff) -> Iterator[Irregularity]:
    lines: list[Mention | Line] = sorted([*standoff.mentions, *standoff.others], key=attrgetter("line"))
    if not lines:
        yield _at(None, "empty_annotations")
        return
    first = lines[0]
    if (verbatim(first) if isinstance(first, Mention) else first.raw).startswith(BOM):
        yield _at(first.line, "bom_in_annotations")
    broken = [line.line for line in lines if line.terminator == "\r\n"]
    if broken:
        yield _at(broken[0], "crlf_in_annotations", len(broken))
    if not lines[-1].terminator:
        yield _at(lines[-1].line, "no_final_newline")


def _of_lines(standoff: Standoff) -> Iterator[Irregularity]:
    companions = {line.line: parse_companion(line) for line in standoff.others if line.kind in KINDS}
    known = {mention.id for mention in standoff.mentions} | {found.id for found in companions.values() if found and found.id}
    taken: set[str] = set()
    for line in standoff.others:
        if line.kind == "?":
            yield _at(line.line, "unknown_line" if line.content.strip() else "blank_line")
        elif line.kind in KINDS:
            yield from (_at(line.line, code, count) for code, count in _of_companion(companions[line.line], known, taken).items())


def _of_companion(companion: Companion | None, known: set[str], taken: set[str]) -> Counter[str]:
    """Codes with counts; adds the companion's id to ``taken``."""
    if companion is None:
        return Counter(["malformed_line"])
    codes = Counter("dangling_reference" for ref in companion.refs if ref not in known)
    if companion.id in taken:
        codes["repeated_id"] = 1
    if companion.id is not None:
        taken.add(companion.id)
    return codes


def _at(line: int | None, code: str, count: int = 1) -> Irregularity:
    return Irregularity(code, RULES[code], line, None, None, count)


def _of_mention(code: str, mention: Mention, count: int = 1) -> Irregularity:
    return Irregularity(code, RULES[code], mention.line, min(mention.starts), max(mention.ends), count)


def _overlapping(mention: Mention, _: str) -> int:
    fragments = sorted(zip(mention.starts, mention.ends, strict=True))
    return sum(latter[0] < former[1] for former, latter in pairwise(fragments))


def _edges_in_white_space(mention: Mention, text: str) -> int:
    return sum(text[start].isspace() for start in mention.starts) + sum(text[end - 1].isspace() for end in mention.ends)


def _edges_in_words(mention: Mention, text: str) -> int:
    edges = [edge for edge in (*mention.starts, *mention.ends) if 0 < edge < len(text)]
    return sum(_in_word(text[edge - 1]) and _in_word(text[edge]) for edge in edges)


def _in_word(character: str) -> bool:
    """Letters, digits and the marks that go with them."""
    return unicodedata.category(character)[0] in "LNM"


def _line_breaks(mention: Mention, text: str) -> int:
    return sum(text.count("\n", start, end) for start, end in zip(mention.starts, mention.ends, strict=True))


def _extra_lines(mention: Mention, _: str) -> int:
    return verbatim(mention).count("\n")


def _differs_in_white_space(mention: Mention, _: str) -> int:
    """Whether the line says other white space than the text. A mention broken over lines does so for that reason."""
    if mention.raw is None or "\n" in mention.raw:
        return 0
    return int(mention.raw.split("\t", 2)[2] != format_mention(mention).split("\t", 2)[2])


# How often it is so in a mention.
_IN_MENTION: dict[str, Callable[[Mention, str], int]] = {
    "discontinuous": lambda mention, _: len(mention.starts) - 1,
    "fragments_out_of_order": lambda mention, _: sum(former > latter for former, latter in pairwise(mention.starts)),
    "overlapping_fragments": _overlapping,
    "edge_whitespace": _edges_in_white_space,
    "cut_word": _edges_in_words,
    "line_break_in_mention": _line_breaks,
    "broken_over_lines": _extra_lines,
    "white_space_differs": _differs_in_white_space,
}
