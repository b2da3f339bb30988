"""Gold word links, in the three forms that they are handed around in.

- TSV: source sentence, target sentence, links (XL-WA); tokens are separated by spaces.
- JSON lines: ``src_words``, ``tgt_words``, ``alignment`` and, optionally, ``possible``, lists of ``[i, j]`` (BinaryAlign's sets).
- Pharaoh: a line of links a sentence pair, whose sentences lie in two text files of as many lines.

Links are written ``i-j``, source token and target token counted from 0; ``i?j`` and ``ipj`` are links that an annotator held possible.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, NonNegativeInt, ValidationError

from pipeline_lib.alignment.links import Link, Links
from pipeline_lib.corpus.text import BOM, NotUtf8, decode
from pipeline_lib.evaluation.annotations import ScoreInputError

LINK = re.compile(r"([0-9]{1,6})([-?p])([0-9]{1,6})")
NO_LINKS: Links = frozenset()


@dataclass(frozen=True)
class LinkedPair:
    """A sentence pair with its gold links.

    Attributes:
        source, target: the tokens, none of them empty.
        sure, possible: links (source token, target token), counted from 0; ``possible`` holds every sure one too.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    sure: Links
    possible: Links = field(default=NO_LINKS)

    def __post_init__(self) -> None:
        object.__setattr__(self, "possible", self.possible | self.sure)

    def swapped(self) -> "LinkedPair":
        """The same pair seen from the other side."""
        sure, possible = (frozenset((j, i) for i, j in links) for links in (self.sure, self.possible))
        return LinkedPair(self.target, self.source, sure, possible)


class _JsonPair(BaseModel, extra="ignore"):
    src_words: list[str]
    tgt_words: list[str]
    alignment: list[tuple[NonNegativeInt, NonNegativeInt]]
    possible: list[tuple[NonNegativeInt, NonNegativeInt]] = []


def read_linked_pairs(path: Path, source: Path | None = None, target: Path | None = None) -> list[LinkedPair]:
    """The sentence pairs of one gold file, in its order; the form is told by the first line that is not empty.

    Args:
        source, target: the sentences of a Pharaoh file, a line each, tokens separated by white space; none for the other forms.

    Raises:
        ScoreInputError: unreadable, a line that breaks a rule of its form, a link outside its sentences. Names file and line, never text.
    """
    lines = read_lines(path)
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise ScoreInputError(f"{path}: holds no sentence pair")
    if is_pharaoh(first):
        if source is None or target is None:
            raise ScoreInputError(f"{path}: holds links alone; name the files of its sentences with --source and --target")
        return _beside(path, lines, source, target)
    read_line = _json_pair if first.lstrip().startswith("{") else _tsv_pair
    return [_checked(read_line(line, f"{path}: line {number}"), f"{path}: line {number}") for number, line in _filled(lines)]


def is_pharaoh(line: str) -> bool:
    """Whether a line is made of links alone."""
    return "\t" not in line and all(LINK.fullmatch(token) for token in line.split())


def parse_links(text: str) -> tuple[Links, Links]:
    """Sure links and all links of ``0-0 1?2 3p3``. Raises ``ValueError`` with the number of the first token that is none, from 1."""
    sure, possible = set(), set()
    for number, token in enumerate(text.split(), 1):
        found = LINK.fullmatch(token)
        if found is None:
            raise ValueError(f"link {number} is not written as i-j")
        link = int(found[1]), int(found[3])
        possible.add(link)
        if found[2] == "-":
            sure.add(link)
    return frozenset(sure), frozenset(possible)


def pharaoh(links: Iterable[Link]) -> str:
    """Sure links as one line, sorted: ``0-0 1-2``; empty for none."""
    return " ".join(f"{i}-{j}" for i, j in sorted(links))


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without their ends; only LF and CRLF end one. Raises ``ScoreInputError``."""
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise ScoreInputError(f"{path}: unreadable, {error.strerror}") from error
    except NotUtf8 as error:
        raise ScoreInputError(f"{path}: unreadable, {error}") from error
    lines = text.removeprefix(BOM).split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _filled(lines: Sequence[str]) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _tsv_pair(line: str, where: str) -> LinkedPair:
    fields = line.split("\t")
    if len(fields) != 3:
        raise ScoreInputError(f"{where}: has {len(fields)} fields, not the three of source sentence, target sentence, links")
    return _pair(fields[0], fields[1], fields[2], where)


def _pair(source: str, target: str, links: str, where: str) -> LinkedPair:
    try:
        sure, possible = parse_links(links)
    except ValueError as error:
        raise ScoreInputError(f"{where}: {error}") from None
    return LinkedPair(tuple(source.split()), tuple(target.split()), sure, possible)


def _json_pair(line: str, where: str) -> LinkedPair:
    try:
        found = _JsonPair.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        fault = f"is no JSON, at column {error.colno}"
    except RecursionError:
        fault = "is nested too deeply"
    except ValidationError as error:
        # The place may hold a key of the file, which is not ours to show: only the first part, a field of ours, is.
        first = error.errors(include_input=False)[0]
        fault = f"{first['loc'][0]}: {first['msg']}" if first["loc"] else first["msg"]
    else:
        return LinkedPair(tuple(found.src_words), tuple(found.tgt_words), frozenset(found.alignment), frozenset(found.possible))
    # Raised out here, so that no error with the line in it stays attached.
    raise ScoreInputError(f"{where}: {fault}")


def _beside(path: Path, lines: Sequence[str], source: Path, target: Path) -> list[LinkedPair]:
    sides = read_lines(source), read_lines(target)
    for side, file in zip(sides, (source, target), strict=True):
        if len(side) != len(lines):
            raise ScoreInputError(f"{file}: has {len(side)} lines, {path} has {len(lines)}")
    pairs = []
    for number, parts in enumerate(zip(*sides, lines, strict=True), 1):
        where = f"{path}: line {number}"
        pairs.append(_checked(_pair(*parts, where), where))
    return pairs


def _checked(pair: LinkedPair, where: str) -> LinkedPair:
    for side, tokens in (("source", pair.source), ("target", pair.target)):
        if not tokens:
            raise ScoreInputError(f"{where}: the {side} sentence has no token")
        if not all(token.strip() for token in tokens):
            raise ScoreInputError(f"{where}: a {side} token is empty")
    outside = [link for link in pair.possible if link[0] >= len(pair.source) or link[1] >= len(pair.target)]
    if outside:
        sizes = f"{len(pair.source)} source and {len(pair.target)} target tokens"
        raise ScoreInputError(f"{where}: link {pharaoh([min(outside)])} lies outside the sentences of {sizes}")
    return pair
