"""Carrying: relations, events, attributes, normalisations, notes and equivalences follow their mentions into the target's file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_lib.corpus.annotation_lines import Line
from pipeline_lib.corpus.companions import KINDS, Companion, parse_companion, rewrite

Row = dict[str, Any]
# By line number; None where the line cannot be understood.
Companions = dict[int, Companion | None]


def carry_lines(lines: Sequence[Row], mentions: Mapping[str, str | None], renamed: Mapping[str, str], target_lang: str) -> list[Row]:
    """Rows of CARRIED_LINES of one document, from its rows of ANNOTATION_LINES in the order of the file.

    A line is carried if everything it refers to is: mentions that were projected, lines that are carried. Lines that refer to
    each other in a circle go together. Where an id occurs twice, a reference to it means the first.

    Args:
        mentions: every accepted source mention's id in the target's file, None where it was not projected.
        renamed: the label of every source mention that an alias renamed; an event is called what its trigger is.
    """
    sources = {row["line"]: Line(row["line"], row["kind"], row["raw"], row["terminator"]) for row in lines if row["kind"] in KINDS}
    companions = {number: parse_companion(line) for number, line in sources.items()}
    named = _named(companions)
    reasons = _reasons(companions, named, mentions)
    own = _fresh_ids(companions, reasons)
    ids = {id_: target for id_, target in mentions.items() if target is not None} | {id_: own[n] for id_, n in named.items() if n in own}
    events = {
        number: renamed[found.refs[0]] for number, found in companions.items() if found and found.kind == "E" and found.refs[0] in renamed
    }
    return [
        {
            "document": row["document"],
            "source_lang": row["lang"],
            "target_lang": target_lang,
            "line": row["line"],
            "kind": row["kind"],
            "source_id": _id(companions[row["line"]]),
            "target_id": own.get(row["line"]) if row["kind"] != "*" else None,
            "raw": rewrite(sources[row["line"]], own[row["line"]], ids, events.get(row["line"])) if row["line"] in own else None,
            "reason": reasons[row["line"]],
        }
        for row in lines
        if row["line"] in sources
    ]


def _id(companion: Companion | None) -> str | None:
    return None if companion is None else companion.id


def _named(companions: Companions) -> dict[str, int]:
    """The first line of every id."""
    named: dict[str, int] = {}
    for number, companion in companions.items():
        if companion is not None and companion.id is not None:
            named.setdefault(companion.id, number)
    return named


def _reasons(companions: Companions, named: Mapping[str, int], mentions: Mapping[str, str | None]) -> dict[int, str | None]:
    """Why a line is not carried, None where it is: what refers to a line that falls, falls with it."""
    reasons = {number: _own_reason(companion, named, mentions) for number, companion in companions.items()}
    about: dict[int, list[int]] = {}
    for number, companion in companions.items():
        for ref in companion.refs if companion else ():
            if ref in named:
                about.setdefault(named[ref], []).append(number)
    fallen = [number for number, reason in reasons.items() if reason is not None]
    while fallen:
        for number in about.get(fallen.pop(), []):
            if reasons[number] is None:
                reasons[number] = "line_not_carried"
                fallen.append(number)
    return reasons


def _own_reason(companion: Companion | None, named: Mapping[str, int], mentions: Mapping[str, str | None]) -> str | None:
    if companion is None:
        return "malformed_line"
    if any(ref not in mentions and ref not in named for ref in companion.refs):
        return "dangling_reference"
    return "mention_not_projected" if any(ref in mentions and mentions[ref] is None for ref in companion.refs) else None


def _fresh_ids(companions: Companions, reasons: Mapping[int, str | None]) -> dict[int, str]:
    """The carried lines' ids in the target's file, counted from 1 a kind; `*` stays `*`."""
    counts: Counter[str] = Counter()
    fresh = {}
    for number, companion in companions.items():
        if companion is not None and reasons[number] is None:
            counts[companion.kind] += 1
            fresh[number] = "*" if companion.kind == "*" else f"{companion.kind}{counts[companion.kind]}"
    return fresh
