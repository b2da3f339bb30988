"""Annotations in one TSV of many documents, the official columns: ``filename, label, start_span, end_span, text``."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline_lib.corpus.brat import Mention, Problem, Standoff
from pipeline_lib.corpus.text import BOM

COLUMNS = ("filename", "label", "start_span", "end_span")
TYPOS = {"strat_span": "start_span"}
RULES = {
    "missing_column": f"a TSV of annotations has the columns {', '.join(COLUMNS)}",
    "bad_row": "a row names a document and a label and holds two integers",
    "bad_offsets": "a mention starts at 0 or later and ends after its start",
    "unknown_document": "a row's document has a text",
}

_DIGITS = 18  # offsets beyond are no offsets, and int() refuses thousands of digits


@dataclass(frozen=True)
class Table:
    """A TSV's mentions by document (a ``.txt`` behind the name is left out), and the rows that are none.

    Without a column ``text`` surfaces are empty: whatever the text holds there is right. A row's line is its last.
    """

    documents: dict[str, Standoff] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    has_text: bool = True


def parse_table(data: str) -> Table:
    """Read a TSV as ``pandas.read_csv(sep="\\t")`` does; a row that is no mention becomes a problem.

    A table whose quotes do not pair was written without quoting, as some are: then a quote is a character like any other.
    """
    lines = data.removeprefix(BOM)
    try:
        rows = list(_quoted(lines))
    except csv.Error:
        unquoted = io.StringIO(lines, newline=None)
        rows = [(number, line.removesuffix("\n").split("\t")) for number, line in enumerate(unquoted, start=1)]
    names = [TYPOS.get(name, name) for name in (rows[0][1] if rows else [])]
    if not set(COLUMNS) <= set(names):
        return Table({}, (_problem(1, "missing_column"),))
    mentions: dict[str, list[Mention]] = {}
    problems: list[Problem] = []
    for line, cells in rows[1:]:
        if any(cells):
            _take_row(dict(zip(names, cells, strict=False)), line, mentions, problems)
    return Table({name: Standoff(tuple(found), (), ()) for name, found in mentions.items()}, tuple(problems), "text" in names)


def _quoted(data: str) -> Iterator[tuple[int, list[str]]]:
    """(last line, cells) of each row. Raises ``csv.Error``."""
    reader = csv.reader(io.StringIO(data, newline=""), delimiter="\t", strict=True)
    for cells in reader:
        yield reader.line_num, cells


def _take_row(row: dict[str, str], line: int, mentions: dict[str, list[Mention]], problems: list[Problem]) -> None:
    document, label = row.get("filename", "").removesuffix(".txt"), row.get("label", "")
    start, end = _integer(row.get("start_span", "")), _integer(row.get("end_span", ""))
    if not document or not label or start is None or end is None:
        problems.append(_problem(line, "bad_row"))
    elif start < 0 or end <= start:
        problems.append(_problem(line, "bad_offsets"))
    else:
        rows = mentions.setdefault(document, [])
        rows.append(Mention(f"T{len(rows) + 1}", label, (start,), (end,), row.get("text", ""), line, "\n", None))


def _integer(cell: str) -> int | None:
    """``12``, `` 12`` and ``12.0`` are integers, as pandas takes them."""
    whole = cell.strip().removesuffix(".0")
    return int(whole) if whole.removeprefix("-").isdecimal() and whole.isascii() and len(whole) <= _DIGITS else None


def _problem(line: int, code: str) -> Problem:
    return Problem(line, code, RULES[code])
