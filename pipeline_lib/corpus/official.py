"""The official TSV, ``filename, label, start_span, end_span, text``: one reading of it for ingest, scoring and validation."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

OFFSETS = ("start_span", "end_span")
COLUMNS = ("filename", "label", *OFFSETS, "text")

Trouble = Literal["unclosed", "swallows", "surplus"]
"""What is wrong with a row's shape.

``unclosed``: a quote that is never closed; ``swallows``: an opening quote that was none, and the rows below lie in its field;
``surplus``: more cells than the header has.
"""

_TYPOS = {"strat_span": "start_span"}
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MOST = 2**53  # from here on, a float stands for several integers


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header.

    Attributes:
        number: from 1, blank lines not counted.
        line: number of its last line in the file, from 1.
        width: how many cells it has.
        cells: by column, only those that it has.
    """

    number: int
    line: int
    width: int
    cells: dict[str, str]
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its columns, the header's typo put right, none where there is no header; the header's trouble; its rows, once."""

    columns: tuple[str, ...]
    trouble: Trouble | None
    rows: Iterator[Row]

    def lacks(self, columns: Iterable[str]) -> list[str]:
        return [name for name in columns if name not in self.columns]


@dataclass(frozen=True, slots=True)
class _Record:
    """Cells, number of the last line, and the lines as they stand in the file."""

    cells: list[str]
    last: int
    lines: list[str]
    closed: bool = True

    @property
    def blank(self) -> bool:
        """Whether pandas skips it: nothing is there, or spaces."""
        return not "".join(self.lines).strip(" \r\n")


def read_quoted(lines: Iterable[str], strict: bool = False) -> Sheet:
    """Read as ``pandas.read_csv(sep="\\t")`` does: a field that starts with a quote goes on to the next, tabs and line breaks in it.

    Args:
        lines: with their ends, without a BOM before the first.
        strict: refuse quotes that do not pair: one never closed, one closed before its field ends.

    Raises:
        csv.Error: here or while the rows are read: a field is longer than the csv module takes, or ``strict`` refuses it.
    """
    return _sheet(_quoted(lines, strict))


def read_unquoted(lines: Iterable[str]) -> Sheet:
    """Read a table that was written without quoting: a quote is a character like any other, every line is a row."""
    return _sheet(_Record(line.rstrip("\r\n").split("\t"), number, [line]) for number, line in enumerate(lines, start=1))


def is_number(cell: str) -> bool:
    """Whether pandas takes a cell for a number."""
    return _NUMBER.fullmatch(cell) is not None


def integer(cell: str) -> int | None:
    """The offset that pandas takes a cell for: ``12``, `` 12``, ``12.0`` and ``1.2e1`` are one; None if it is none."""
    number = float(cell) if is_number(cell) else None
    return int(number) if number is not None and number.is_integer() and abs(number) < _MOST else None


def _quoted(lines: Iterable[str], strict: bool) -> Iterator[_Record]:
    taken: list[str] = []
    ended = False

    def watched() -> Iterator[str]:
        nonlocal ended
        for line in lines:
            taken.append(line)
            yield line
        ended = True

    reader = csv.reader(watched(), delimiter="\t", strict=strict)
    for cells in reader:
        # The csv module forgives a quote that is never closed, pandas does not: only there is the end met within a record.
        yield _Record(cells, reader.line_num, taken.copy(), closed=not ended)
        taken.clear()


def _sheet(records: Iterator[_Record]) -> Sheet:
    filled = (record for record in records if not record.blank)
    header = next(filled, None)
    if header is None:
        return Sheet((), None, iter(()))
    columns = tuple(_TYPOS.get(name, name) for name in header.cells)
    return Sheet(columns, _trouble(header, columns), _rows(filled, columns))


def _rows(records: Iterator[_Record], columns: tuple[str, ...]) -> Iterator[Row]:
    # Of two columns of a name the first counts.
    places = {name: columns.index(name) for name in columns}
    for number, record in enumerate(records, start=1):
        cells = {name: record.cells[place] for name, place in places.items() if place < len(record.cells)}
        yield Row(number, record.last, len(record.cells), cells, _trouble(record, columns))


def _trouble(record: _Record, columns: tuple[str, ...]) -> Trouble | None:
    if not record.closed:
        return "unclosed"
    if _swallows(record, columns):
        return "swallows"
    return "surplus" if len(record.cells) > len(columns) else None


def _swallows(record: _Record, columns: tuple[str, ...]) -> bool:
    """Whether the record holds another row: two of its lines are whole rows, or a later line of a cell looks like one."""
    if len(record.lines) == 1 or not {*OFFSETS} <= {*columns}:
        return False
    places = [columns.index(name) for name in OFFSETS]
    whole = [line for line in record.lines if _is_row(line, places, len(columns))]
    within = (line for cell in record.cells for line in _LINE_BREAK.split(cell)[1:])
    return len(whole) > 1 or any(_is_row(line, places, max(places) + 1) for line in within)


def _is_row(line: str, places: list[int], width: int) -> bool:
    """Whether a line has that many cells, and integers, quoted or not, where the offsets stand."""
    cells = line.split("\t")
    return len(cells) >= width and all(integer(cells[place].strip('"\r\n')) is not None for place in places)
