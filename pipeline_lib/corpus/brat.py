"""BRAT standoff in and out: what is read and not changed is written back byte for byte."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline_lib.corpus.text import BOM, matches, slices

Row = dict[str, Any]

KINDS = "TREAMN#*"
RULES = {
    "bad_line": "a T line reads: id, tab, label, offsets, tab, text",
    "bad_offsets": "every fragment starts at 0 or later and ends after its start",
    "duplicate_id": "a mention's id is unique in its file",
    "span_out_of_text": "offsets lie within the text",
    "surface_mismatch": "the text at the offsets is the text of the line",
}

# Offsets beyond 18 digits are no offsets, and int() refuses thousands of digits.
_OFFSET = r"-?[0-9]{1,18}"
_MENTION = re.compile(rf"(T[0-9]\S*)\t(\S+) ({_OFFSET} {_OFFSET}(?:;{_OFFSET} {_OFFSET})*)\t(.*)")
# Inside a line a line break would end it; brat writes a space.
_UNBROKEN = str.maketrans("\r\n", "  ")


@dataclass(frozen=True, slots=True)
class Mention:
    """A text-bound annotation.

    Attributes:
        starts: first code point of each fragment, in file order; with ``ends`` 0-based and half-open.
        surface: as the line says it, until ``check_against`` makes it what the text says.
        line: line number in the file, from 1.
        terminator: line ending as read: LF, CRLF or nothing.
        raw: the line as read where it differs from ``format_mention``, else None.
    """

    id: str
    label: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    surface: str
    line: int
    terminator: str
    raw: str | None


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Any line that is no accepted mention, verbatim. ``kind`` is one of ``KINDS``, `?` for anything else."""

    line: int
    kind: str
    raw: str
    terminator: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a T line was not taken. Never holds text of the file."""

    line: int
    code: str
    rule: str


@dataclass(frozen=True, slots=True)
class Standoff:
    """One ``.ann`` file: each line is a mention or an other line; each problem's line is among the others."""

    mentions: tuple[Mention, ...]
    others: tuple[OtherLine, ...]
    problems: tuple[Problem, ...]


def parse(data: str) -> Standoff:
    """Read the lines of an ``.ann`` file: syntax only, no look at the text."""
    mentions: dict[str, Mention] = {}
    others: list[OtherLine] = []
    problems: list[Problem] = []
    for number, (raw, terminator) in enumerate(_lines(data), start=1):
        content = raw.removeprefix(BOM) if number == 1 else raw
        kind = content[0] if content and content[0] in KINDS else "?"
        other = OtherLine(number, kind, raw, terminator)
        if kind != "T":
            others.append(other)
            continue
        mention = _read_mention(content, other)
        code = _syntax_problem(mention, mentions)
        if mention is None or code is not None:
            others.append(other)
            problems.append(_problem(number, code or "bad_line"))
        else:
            mentions[mention.id] = mention
    return Standoff(tuple(mentions.values()), tuple(others), tuple(problems))


def check_against(standoff: Standoff, text: str) -> Standoff:
    """Keep the mentions that ``text`` bears out, with its slices as their surface; the rest become other lines."""
    mentions, others, problems = [], list(standoff.others), list(standoff.problems)
    for mention in standoff.mentions:
        if max(mention.ends) > len(text):
            code = "span_out_of_text"
        elif not matches(text, mention):
            code = "surface_mismatch"
        else:
            held = replace(mention, surface=slices(text, mention.starts, mention.ends))
            mentions.append(_remember(held, verbatim(mention)))
            continue
        others.append(OtherLine(mention.line, "T", verbatim(mention), mention.terminator))
        problems.append(_problem(mention.line, code))
    return Standoff(
        tuple(mentions), tuple(sorted(others, key=lambda other: other.line)), tuple(sorted(problems, key=lambda problem: problem.line))
    )


def format_mention(mention: Mention) -> str:
    """The canonical line: ``T1<TAB>LABEL start end[;start end...]<TAB>surface``, line breaks as spaces."""
    offsets = ";".join(f"{start} {end}" for start, end in zip(mention.starts, mention.ends, strict=True))
    return f"{mention.id}\t{mention.label} {offsets}\t{mention.surface.translate(_UNBROKEN)}"


def verbatim(mention: Mention) -> str:
    """The mention's line as it was read, without its terminator."""
    return format_mention(mention) if mention.raw is None else mention.raw


def write(mentions: Iterable[Mention], others: Iterable[OtherLine]) -> str:
    """The file that these lines were read from."""
    pieces = {mention.line: verbatim(mention) + mention.terminator for mention in mentions}
    pieces |= {other.line: other.raw + other.terminator for other in others}
    return "".join(piece for _, piece in sorted(pieces.items()))


def format_file(mentions: Iterable[Mention]) -> str:
    """A fresh ``.ann`` of canonical lines in the order given, each ended by LF."""
    return "".join(f"{format_mention(mention)}\n" for mention in mentions)


def mention_rows(standoff: Standoff, document: str, lang: str, file: str) -> list[Row]:
    """Rows of MENTIONS; ``file`` is the ``.ann`` relative to the corpus root."""
    return [
        {
            "document": document,
            "lang": lang,
            "mention": mention.id,
            "label": mention.label,
            "starts": list(mention.starts),
            "ends": list(mention.ends),
            "surface": mention.surface,
            "file": file,
            "line": mention.line,
            "terminator": mention.terminator,
            "raw": mention.raw,
        }
        for mention in standoff.mentions
    ]


def line_rows(standoff: Standoff, document: str, lang: str) -> list[Row]:
    """Rows of ANNOTATION_LINES."""
    return [
        {
            "document": document,
            "lang": lang,
            "line": other.line,
            "kind": other.kind,
            "raw": other.raw,
            "terminator": other.terminator,
        }
        for other in standoff.others
    ]


def from_rows(mentions: Iterable[Row], lines: Iterable[Row]) -> str:
    """The file that one document's rows of MENTIONS and ANNOTATION_LINES were read from."""
    return write(
        (_mention_of(row) for row in mentions),
        (OtherLine(row["line"], row["kind"], row["raw"], row["terminator"]) for row in lines),
    )


def _lines(data: str) -> Iterator[tuple[str, str]]:
    """(line, terminator) pairs. Only LF and CRLF end a line: str.splitlines also breaks at U+2028, \\x0b, \\x85."""
    *ended, rest = data.split("\n")
    for line in ended:
        yield (line[:-1], "\r\n") if line.endswith("\r") else (line, "\n")
    if rest:
        yield rest, ""


def _read_mention(content: str, source: OtherLine) -> Mention | None:
    found = _MENTION.fullmatch(content)
    if found is None:
        return None
    id_, label, offsets, surface = found.groups()
    pairs = [fragment.split(" ") for fragment in offsets.split(";")]
    starts, ends = tuple(int(start) for start, _ in pairs), tuple(int(end) for _, end in pairs)
    return _remember(Mention(id_, label, starts, ends, surface, source.line, source.terminator, None), source.raw)


def _syntax_problem(mention: Mention | None, taken: dict[str, Mention]) -> str | None:
    if mention is None:
        return "bad_line"
    if any(start < 0 or end <= start for start, end in zip(mention.starts, mention.ends, strict=True)):
        return "bad_offsets"
    return "duplicate_id" if mention.id in taken else None


def _remember(mention: Mention, line: str) -> Mention:
    """The mention with ``line`` as its raw, but only where the canonical form could not restore it."""
    return replace(mention, raw=None if format_mention(mention) == line else line)


def _problem(line: int, code: str) -> Problem:
    return Problem(line, code, RULES[code])


def _mention_of(row: Row) -> Mention:
    return Mention(
        id=row["mention"],
        label=row["label"],
        starts=tuple(row["starts"]),
        ends=tuple(row["ends"]),
        surface=row["surface"],
        line=row["line"],
        terminator=row["terminator"],
        raw=row["raw"],
    )
