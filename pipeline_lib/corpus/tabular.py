"""Annotations in one TSV of many documents, the official columns: ``filename, label, start_span, end_span, text``."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline_lib.corpus import brat, official
from pipeline_lib.corpus.brat import Mention, Problem, Standoff
from pipeline_lib.corpus.files import is_label
from pipeline_lib.corpus.text import BOM

REQUIRED = tuple(name for name in official.COLUMNS if name != "text")
RULES = {
    "missing_column": f"a TSV of annotations has the columns {', '.join(REQUIRED)}",
    "bad_row": "a row names a document and a label and holds two integers",
    "bad_label": brat.RULES["bad_label"],
    "bad_offsets": brat.RULES["bad_offsets"],
    "unknown_document": "a row's document has a text",
}


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

    A table whose quotes do not pair, or whose quoted fields hold rows, was written without quoting, as some are: then a quote is a
    character like any other.
    """
    columns, rows = _rows(data.removeprefix(BOM))
    if not {*REQUIRED} <= {*columns}:
        return Table({}, (_problem(1, "missing_column"),))
    mentions: dict[str, list[Mention]] = {}
    problems: list[Problem] = []
    for row in rows:
        if any(row.cells.values()):
            _take_row(row.cells, row.line, mentions, problems)
    return Table({name: Standoff(tuple(found), (), ()) for name, found in mentions.items()}, tuple(problems), "text" in columns)


def _rows(data: str) -> tuple[tuple[str, ...], list[official.Row]]:
    """Columns and rows under the reading that loses none."""
    with suppress(csv.Error):
        sheet = official.read_quoted(io.StringIO(data, newline=""), strict=True)
        rows = list(sheet.rows)
        if "swallows" not in (sheet.trouble, *(row.trouble for row in rows)):
            return sheet.columns, rows
    sheet = official.read_unquoted(io.StringIO(data, newline=""))
    return sheet.columns, list(sheet.rows)


def _take_row(row: dict[str, str], line: int, mentions: dict[str, list[Mention]], problems: list[Problem]) -> None:
    document, label = row.get("filename", "").removesuffix(".txt"), row.get("label", "")
    start, end = (official.integer(row.get(name, "")) for name in official.OFFSETS)
    if not document or not label or start is None or end is None:
        problems.append(_problem(line, "bad_row"))
    elif not is_label(label):
        problems.append(_problem(line, "bad_label"))
    elif start < 0 or end <= start:
        problems.append(_problem(line, "bad_offsets"))
    else:
        rows = mentions.setdefault(document, [])
        rows.append(Mention(f"T{len(rows) + 1}", label, (start,), (end,), row.get("text", ""), line, "\n", None))


def _problem(line: int, code: str) -> Problem:
    return Problem(line, code, RULES[code])
