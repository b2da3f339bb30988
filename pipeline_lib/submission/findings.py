"""What is wrong with a submission: codes, rules, places; never text."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

RULES = {
    "not_a_zip": "a submission is a ZIP file",
    "unsafe_name": "a file's name is relative, holds no '..', backslash, colon or unprintable character, and is no link",
    "duplicate_file": "a ZIP holds one file of a name",
    "too_large": "a ZIP unpacks to at most 10,000 files, 256 MiB a file and 2 GiB in all",
    "missing_file": "there is a table for every language and entity",
    "label_off_entity": "a label is that of the folder's entity",
    "second_table": "there is one table for a language and entity",
    "unexpected_file": "a file is {LANG}/{entity}/*.tsv of an expected language and entity, config.json or a README",
    "unreadable": "a file is whole UTF-8; a table closes its quotes within the row and has no row longer than its header",
    "missing_column": "a table has the columns filename, label, start_span, end_span and text",
    "not_an_integer": "start_span and end_span are integers",
    "end_not_after_start": "end_span is greater than start_span",
    "bad_label": "a label is one printable word, and not *, which stands for all labels",
    "duplicate_row": "no two rows have the same filename, label, start_span and end_span",
    "unknown_document": "filename is a document of the language and entity, without .txt",
    "offset_outside_text": "offsets lie within the text",
    "text_differs": "text is the document's text from start_span to end_span",
    "reads_as_missing": "pandas takes no filename, label or text for a missing value",
    "reads_as_number": "pandas takes not all filenames for numbers",
}

FIELDS = ("file", "row", "start", "end", "level", "code", "rule")
"""What is told of a finding, in this order."""

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule. ``row`` counts from 1 after the header; what does not apply is None."""

    file: str
    code: str
    row: int | None = None
    start: int | None = None
    end: int | None = None
    level: Level = "error"
    column: str | None = None

    @property
    def rule(self) -> str:
        return RULES[self.code] if self.column is None else f"{RULES[self.code]}; {self.column} is not there"

    def as_row(self) -> dict[str, str | int | None]:
        """Its ``FIELDS``."""
        return {name: getattr(self, name) for name in FIELDS}


def findings_csv(findings: Iterable[Finding]) -> str:
    """A header and a row a finding."""
    table = io.StringIO(newline="")
    rows = csv.DictWriter(table, FIELDS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(finding.as_row() for finding in findings)
    return table.getvalue()
