"""BRAT standoff in and out: what is read and not changed is written back byte for byte."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from pipeline_lib.corpus.annotation_lines import Line, entries, read_lines
from pipeline_lib.corpus.files import is_label
from pipeline_lib.corpus.text import matches, slices

RULES = {
    "bad_line": "a T line reads: id, tab, label, offsets, tab, text",
    "bad_offsets": "every fragment starts at 0 or later and ends after its start",
    "bad_label": "a label is one printable word, and not `*`, which stands for all labels",
    "duplicate_id": "a mention's id is unique in its file",
    "span_out_of_text": "offsets lie within the text",
    "surface_mismatch": "the text at the offsets is the text of the line",
}

# Offsets beyond 18 digits are no offsets, and int() refuses thousands of digits.
_OFFSET = r"-?[0-9]{1,18}"
_OFFSETS = rf"{_OFFSET} {_OFFSET}(?:;{_OFFSET} {_OFFSET})*(?![0-9])"
_MENTION = re.compile(rf"(T[0-9]\S*)\t(\S+) ({_OFFSETS})\t(.*)")
# Where a T line should have its offsets, whatever parts its fields.
_CLAIM = re.compile(rf"T\S*[\t ]+\S+[\t ]+({_OFFSETS})")
# Inside a line a line break would end it; brat writes a space.
_UNBROKEN = str.maketrans("\r\n", "  ")


@dataclass(frozen=True, slots=True)
class Mention:
    """A text-bound annotation.

    Attributes:
        starts: first code point of each fragment, in file order; with ``ends`` 0-based and half-open.
        surface: as the line says it, until ``check_against`` makes it what the text says.
        line: number of its first line in the file, from 1.
        terminator: line ending as read: LF, CRLF or nothing.
        raw: the line as read where it differs from ``format_mention``, else None; all its lines if it is broken over several.
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
class Problem:
    """Why a T line was not taken. Never holds text of the file.

    Attributes:
        start, end: first start and last end of its fragments as the line says them, None where they cannot be read.
    """

    line: int
    code: str
    rule: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Standoff:
    """One ``.ann`` file: each line is of a mention or an other line; each problem's line is among the others."""

    mentions: tuple[Mention, ...]
    others: tuple[Line, ...]
    problems: tuple[Problem, ...]


def parse(data: str) -> Standoff:
    """Read the lines of an ``.ann`` file: syntax only, no look at the text.

    A mention whose text is too short for its offsets is taken to go on in the next lines, if these make up the length.
    """
    mentions: dict[str, Mention] = {}
    others: list[Line] = []
    problems: list[Problem] = []
    for head, *tail in entries(data):
        mention = _read_mention(head)
        code = _syntax_problem(mention, mentions) if head.kind == "T" else None
        if mention is None or code is not None:
            others += [head, *tail]
            problems += [_problem(head.line, code, _claimed(head))] if code else []
        else:
            mentions[mention.id], rest = _with_continuation(mention, head, tail)
            others += rest
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
            surface = slices(text, mention.starts, mention.ends)
            held = mention if surface == mention.surface else replace(mention, surface=surface)
            mentions.append(_remember(held, verbatim(mention)))
            continue
        others += read_lines(verbatim(mention) + mention.terminator, mention.line)
        problems.append(_problem(mention.line, code, (min(mention.starts), max(mention.ends))))
    return Standoff(
        tuple(mentions), tuple(sorted(others, key=lambda other: other.line)), tuple(sorted(problems, key=lambda problem: problem.line))
    )


def format_mention(mention: Mention) -> str:
    """The canonical line: ``T1<TAB>LABEL start end[;start end...]<TAB>surface``, line breaks as spaces."""
    offsets = ";".join(f"{start} {end}" for start, end in zip(mention.starts, mention.ends, strict=True))
    return f"{mention.id}\t{mention.label} {offsets}\t{mention.surface.translate(_UNBROKEN)}"


def verbatim(mention: Mention) -> str:
    """The mention's line or lines as they were read, without the last terminator."""
    return format_mention(mention) if mention.raw is None else mention.raw


def write(mentions: Iterable[Mention], others: Iterable[Line]) -> str:
    """The file that these lines were read from."""
    pieces = {mention.line: verbatim(mention) + mention.terminator for mention in mentions}
    pieces |= {other.line: other.raw + other.terminator for other in others}
    return "".join(piece for _, piece in sorted(pieces.items()))


def format_file(mentions: Iterable[Mention]) -> str:
    """A fresh ``.ann`` of canonical lines in the order given, each ended by LF."""
    return "".join(f"{format_mention(mention)}\n" for mention in mentions)


def _read_mention(line: Line) -> Mention | None:
    found = _MENTION.fullmatch(line.content)
    if found is None:
        return None
    id_, label, offsets, surface = found.groups()
    starts, ends = _fragments(offsets)
    return _remember(Mention(id_, label, starts, ends, surface, line.line, line.terminator, None), line.raw)


def _with_continuation(mention: Mention, head: Line, tail: list[Line]) -> tuple[Mention, list[Line]]:
    """The mention with as many lines of ``tail`` as its offsets need, and the other lines.

    Without any where no number of lines fits, neither with each line break as one character nor with each as two.
    """
    length = sum(mention.ends) - sum(mention.starts) + len(mention.starts) - 1
    for line_break in ("\n", "\r\n"):
        lengths = list(accumulate((len(line_break) + len(line.raw) for line in tail), initial=len(mention.surface)))
        if length in lengths:
            taken, rest = tail[: lengths.index(length)], tail[lengths.index(length) :]
            break
    else:
        taken, rest = [], tail
    if not taken:
        return mention, rest
    raw = write([], [head, *taken]).removesuffix(taken[-1].terminator)
    surface = line_break.join([mention.surface, *(line.raw for line in taken)])
    return replace(mention, surface=surface, terminator=taken[-1].terminator, raw=raw), rest


def _fragments(offsets: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Starts and ends of ``start end[;start end...]``."""
    pairs = [fragment.split(" ") for fragment in offsets.split(";")]
    return tuple(int(start) for start, _ in pairs), tuple(int(end) for _, end in pairs)


def _claimed(line: Line) -> tuple[int, int] | None:
    found = _CLAIM.match(line.content)
    if found is None:
        return None
    starts, ends = _fragments(found[1])
    return min(starts), max(ends)


def _syntax_problem(mention: Mention | None, taken: dict[str, Mention]) -> str | None:
    if mention is None:
        return "bad_line"
    if any(start < 0 or end <= start for start, end in zip(mention.starts, mention.ends, strict=True)):
        return "bad_offsets"
    if not is_label(mention.label):
        return "bad_label"
    return "duplicate_id" if mention.id in taken else None


def _remember(mention: Mention, line: str) -> Mention:
    """The mention with ``line`` as its raw, but only where the canonical form could not restore it."""
    raw = None if format_mention(mention) == line else line
    return mention if raw == mention.raw else replace(mention, raw=raw)


def _problem(line: int, code: str, claimed: tuple[int, int] | None) -> Problem:
    return Problem(line, code, RULES[code], *(claimed or ()))
