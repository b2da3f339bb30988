"""Rows of PROJECTIONS, CARRIED_LINES, DOCUMENTS, MENTIONS and ANNOTATION_LINES, written short."""

import hashlib

import pyarrow as pa

from data_contracts.contract import Contract
from data_contracts.corpus import ANNOTATION_LINES, DOCUMENTS, MENTIONS
from data_contracts.projection import CARRIED_LINES, PROJECTIONS
from pipeline_lib.corpus.text import slices

Fragments = list[tuple[int, int]]


def starts(fragments: Fragments) -> list[int]:
    return [start for start, _ in fragments]


def ends(fragments: Fragments) -> list[int]:
    return [end for _, end in fragments]


def projected(document: str, mention: str, label: str, fragments: Fragments, text: str = "", lang: str = "en") -> dict[str, object]:
    """A mention that went to ``fragments`` of ``text``; none of them is an abstention."""
    return {
        "document": document,
        "source_lang": "es",
        "target_lang": lang,
        "mention": mention,
        "target_mention": mention if fragments else None,
        "label": label,
        "source_starts": [0],
        "source_ends": [1],
        "source_surface": "x",
        "starts": starts(fragments),
        "ends": ends(fragments),
        "surface": slices(text, starts(fragments), ends(fragments)),
        "confidence": 0.5 if fragments else 0.0,
        "reason": None if fragments else "no_aligned_unit",
        "aligner": "f00",
    }


def projections(*rows: dict[str, object]) -> pa.Table:
    return checked(PROJECTIONS, PROJECTIONS.table(rows))


def carried(*lines: tuple[str, str | None]) -> pa.Table:
    """CARRIED_LINES of (document, line in the target's file or None)."""
    rows = [
        {
            "document": document,
            "source_lang": "es",
            "target_lang": "en",
            "line": number,
            "kind": raw[0] if raw else "A",
            "source_id": None,
            "target_id": raw.split("\t")[0] if raw and raw[0] != "*" else None,
            "raw": raw,
            "reason": None if raw else "mention_not_projected",
        }
        for number, (document, raw) in enumerate(lines, start=1)
    ]
    return checked(CARRIED_LINES, CARRIED_LINES.table(rows))


def documents(texts: dict[str, str], lang: str = "en") -> pa.Table:
    rows = [
        {
            "document": name,
            "lang": lang,
            "file": f"{lang}/{name}.txt",
            "text": text,
            "reading": "raw",
            "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
            "characters": len(text),
        }
        for name, text in texts.items()
    ]
    return checked(DOCUMENTS, DOCUMENTS.table(rows))


def mentions(texts: dict[str, str], *spans: tuple[str, str, Fragments], lang: str = "es", label: str = "DISEASE") -> pa.Table:
    """MENTIONS of (document, id, fragments)."""
    rows = [
        {
            "document": document,
            "lang": lang,
            "mention": mention,
            "label": label,
            "starts": starts(fragments),
            "ends": ends(fragments),
            "surface": slices(texts[document], starts(fragments), ends(fragments)),
            "file": f"{lang}/{document}.ann",
            "line": line,
            "terminator": "\n",
            "raw": None,
        }
        for line, (document, mention, fragments) in enumerate(spans, start=1)
    ]
    return checked(MENTIONS, MENTIONS.table(rows))


def annotation_lines(*lines: tuple[str, str], lang: str = "es") -> pa.Table:
    """ANNOTATION_LINES of (document, line), numbered after any mentions."""
    rows = [
        {"document": document, "lang": lang, "line": number, "kind": raw[0], "raw": raw, "terminator": "\n"}
        for number, (document, raw) in enumerate(lines, start=1001)
    ]
    return checked(ANNOTATION_LINES, ANNOTATION_LINES.table(rows))


def checked(contract: Contract, table: pa.Table) -> pa.Table:
    contract.check(table)
    return table
