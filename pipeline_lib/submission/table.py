"""One table of a submission, row by row, as the official reader (``pandas.read_csv`` with tabs) takes it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pipeline_lib.corpus import official
from pipeline_lib.corpus.files import is_label
from pipeline_lib.submission.findings import Finding, Level
from pipeline_lib.submission.texts import Document

# What pandas.read_csv takes for missing, quoted or not.
MISSING = frozenset((
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
))  # fmt: skip


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
        self._seen: set[tuple[str, str, int, int]] = set()
        self._numbers = 0
        self._text = lru_cache(8)(self._read)

    def check(self, lines: Iterable[str]) -> Iterator[Finding]:
        """What is wrong with the table whose lines, with their ends, these are. Raises ``csv.Error`` for an endless field."""
        sheet = official.read_quoted(lines)
        if sheet.trouble or not sheet.columns:
            yield self._finding("unreadable")
            return
        missing = sheet.lacks(official.COLUMNS)
        yield from (self._finding("missing_column", column=name) for name in missing)
        for row in sheet.rows:
            self.rows = row.number
            if row.trouble:
                yield self._finding("unreadable", row.number)
            elif not missing:
                yield from self._row({name: row.cells.get(name, "") for name in official.COLUMNS})
        if self.rows and self._numbers == self.rows:
            yield self._finding("reads_as_number", level="warning")

    def _row(self, row: dict[str, str]) -> Iterator[Finding]:
        """What is wrong with the row after the last one, given by column."""
        self._numbers += official.is_number(row["filename"])
        start, end = (official.integer(row[name]) for name in official.OFFSETS)
        for name in ("filename", "label", "text"):
            if row[name] in MISSING:
                yield self._finding("reads_as_missing", self.rows, start, end, "warning" if name == "text" else "error")
        if not is_label(row["label"]) and row["label"] not in MISSING:
            yield self._finding("bad_label", self.rows, start, end)
        if self._is_of_entity(row["filename"]) and row["label"].casefold() != self._entity.casefold():
            yield self._finding("label_off_entity", self.rows, start, end, "warning")
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

    def _is_of_entity(self, name: str) -> bool:
        """Whether the layout of the texts names the document's entity, and it is this one."""
        document = (self._documents or {}).get(name.removesuffix(".txt"))
        return document is not None and document.entity == self._entity

    def _read(self, name: str) -> str | None:
        document = (self._documents or {}).get(name.removesuffix(".txt"))
        return document.read() if document is not None and document.entity in (None, self._entity) else None

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
