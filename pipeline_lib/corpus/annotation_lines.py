"""The lines of an ``.ann`` file, by kind and verbatim."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline_lib.corpus.text import BOM

KINDS = "TREAMN#*"

# What is meant as a line of its kind, well formed or not; text that goes on in a next line may start with any letter.
_KIND = re.compile(r"[TREAMN](?=\S*\t)|T(?=[0-9])|[#*]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line, verbatim. ``kind`` is one of ``KINDS``, `?` for anything else; ``line`` counts from 1."""

    line: int
    kind: str
    raw: str
    terminator: str

    @property
    def content(self) -> str:
        """The line without the byte order mark that a file may start with."""
        return self.raw.removeprefix(BOM) if self.line == 1 else self.raw


def read_lines(data: str, first: int = 1) -> Iterator[Line]:
    """The lines of ``data``, the first one numbered ``first``."""
    for number, (raw, terminator) in enumerate(_split(data), start=first):
        line = Line(number, "?", raw, terminator)
        kind = _KIND.match(line.content)
        yield Line(number, kind[0], raw, terminator) if kind else line


def entries(data: str) -> Iterator[list[Line]]:
    """Each line of a known kind with the lines of none that follow it; what comes before the first such line is an entry too."""
    entry: list[Line] = []
    for line in read_lines(data):
        if entry and line.kind != "?":
            yield entry
            entry = []
        entry.append(line)
    if entry:
        yield entry


def _split(data: str) -> Iterator[tuple[str, str]]:
    """(line, terminator) pairs. Only LF and CRLF end a line: str.splitlines also breaks at U+2028, \\x0b, \\x85."""
    *ended, rest = data.split("\n")
    for line in ended:
        yield (line[:-1], "\r\n") if line.endswith("\r") else (line, "\n")
    if rest:
        yield rest, ""
