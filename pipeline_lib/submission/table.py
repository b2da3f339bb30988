"""One table of a submission, row by row, as the official reader (``pandas.read_csv`` with tabs) takes it."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

from pipeline_lib.projection.export import HEADER
from pipeline_lib.submission.findings import Finding, Level
from pipeline_lib.submission.texts import Document

# What pandas.read_csv takes for missing, quoted or not.
MISSING = frozenset((
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
))  # fmt: skip
TYPOS = {"strat_span": "start_span"}
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# A quote that is never closed swallows the line added here; the csv module alone would forgive it.
_AFTER_LAST = "\0after the last row"


class Table:
    """A table being read: ``rows`` counts those seen so far.

    Args:
        file: its name, for the findings.
        entity: the entity whose folder it is in.
        documents: what its rows may name, None if that is not known.
    """

    def __init__(self, file: str, entity: str, documents: Mapping[str, Document] | None) -> None:
        self.rows = 0
        self._file, self._entity, self._documents = file, entity, documents
        self._columns: dict[str, int] = {}
        self._width = 0
        self._seen: set[tuple[str, str, int, int]] = set()
        self._numbers = 0
        self._text = lru_cache(8)(self._read)

    def check(self, lines: Iterable[str]) -> Iterator[Finding]:
        """What is wrong with the table whose lines, with their ends, these are. Raises ``csv.Error`` for an endless field."""
        rows = (row for row in csv.reader(chain(lines, ["\n", _AFTER_LAST]), delimiter="\t") if len(row) > 1 or "".join(row).strip())
        header = next(rows)
        if header[-1].endswith(_AFTER_LAST):
            yield self._finding("unreadable")
            return
        names = [TYPOS.get(name, name) for name in header]
        self._columns = {name: names.index(name) for name in HEADER if name in names}
        self._width = len(header)
        missing = [name for name in HEADER if name not in names]
        yield from (self._finding("missing_column", column=name) for name in missing)
        for row in rows:
            if row == [_AFTER_LAST]:
                break
            self.rows += 1
            if row[-1].endswith(_AFTER_LAST) or len(row) > self._width or any(map(self._swallowed, row)):
                yield self._finding("unreadable", self.rows)
            elif not missing:
                yield from self._row({name: row[index] if index < len(row) else "" for name, index in self._columns.items()})
        if self.rows and self._numbers == self.rows:
            yield self._finding("reads_as_number", level="warning")

    def _row(self, row: dict[str, str]) -> Iterator[Finding]:
        """What is wrong with the row after the last one, given by column."""
        self._numbers += _NUMBER.fullmatch(row["filename"]) is not None
        start, end = _integer(row["start_span"]), _integer(row["end_span"])
        for name in ("filename", "label", "text"):
            if row[name] in MISSING:
                yield self._finding("reads_as_missing", self.rows, start, end, "warning" if name == "text" else "error")
        if start is None or end is None:
            yield self._finding("not_an_integer", self.rows, start, end)
            return
        key = (row["filename"].removesuffix(".txt"), row["label"], start, end)
        if key in self._seen:
            yield self._finding("duplicate_row", self.rows, start, end)
        self._seen.add(key)
        code = "end_not_after_start" if end <= start else self._misplaced(row["filename"], start, end, row["text"])
        if code is not None:
            yield self._finding(code, self.rows, start, end)

    def _misplaced(self, name: str, start: int, end: int, claimed: str) -> str | None:
        """Why this is no place in a document that is known, None if it is one."""
        if self._documents is None:
            return "offset_outside_text" if start < 0 else None
        text = self._text(name)
        if text is None:
            return "unknown_document"
        if start < 0 or end > len(text):
            return "offset_outside_text"
        return None if text[start:end] == claimed else "text_differs"

    def _read(self, name: str) -> str | None:
        document = (self._documents or {}).get(name.removesuffix(".txt"))
        return document.read() if document is not None and document.entity in (None, self._entity) else None

    def _swallowed(self, field: str) -> bool:
        """Whether a field holds what looks like a row: an opening quote that was none has swallowed the lines up to the next."""
        if not {"start_span", "end_span"} <= self._columns.keys():
            return False
        start, end = self._columns["start_span"], self._columns["end_span"]
        lines = [line.split("\t") for line in _LINE_BREAK.split(field)[1:]]
        return any(len(cells) > max(start, end) and None not in (_integer(cells[start]), _integer(cells[end])) for cells in lines)

    def _finding(
        self,
        code: str,
        row: int | None = None,
        start: int | None = None,
        end: int | None = None,
        level: Level = "error",
        column: str | None = None,
    ) -> Finding:
        return Finding(self._file, code, row, start, end, level, column)


def _integer(field: str) -> int | None:
    """The offset, None if it is none. ``12.0`` and `` 12`` are integers, as pandas takes them."""
    number = float(field) if _NUMBER.fullmatch(field) else None
    return int(number) if number is not None and number.is_integer() else None
