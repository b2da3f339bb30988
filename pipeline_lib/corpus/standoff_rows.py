"""Standoff as rows of MENTIONS and ANNOTATION_LINES, and back to the file that they were read from."""

from collections.abc import Iterable
from typing import Any

from pipeline_lib.corpus.annotation_lines import Line
from pipeline_lib.corpus.brat import Mention, Standoff, write

Row = dict[str, Any]


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
        (Line(row["line"], row["kind"], row["raw"], row["terminator"]) for row in lines),
    )


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
