"""The lines that go with mentions: relations, events, attributes, normalisations, notes, equivalences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_lib.corpus.annotation_lines import Line

KINDS = "REAMN#*"

# `own` is the line's id, `refers` the stretch that names what it is about; all else is kept as it is.
_PLAIN = r"(?P<refers> +[^\s:]+)"
_WITH_ROLE = r"[^\s:]+:[^\s:]+"
_REST = r" *(?:\t.*)?"
_SHAPES = {
    kind: re.compile(rf"\ufeff?(?P<own>{shape}")
    for kind, shape in {
        "R": rf"R\S+)\t\S+(?P<refers>(?: +{_WITH_ROLE}){{2,}}){_REST}",
        "E": rf"E\S+)\t(?P<refers>{_WITH_ROLE}(?: +{_WITH_ROLE})*){_REST}",
        "A": rf"A\S+)\t\S+{_PLAIN}(?:[ \t].*)?",
        "M": rf"M\S+)\t\S+{_PLAIN}(?:[ \t].*)?",
        "N": rf"N\S+)\t\S+{_PLAIN} +\S+{_REST}",
        "#": rf"#\S*)\t\S+{_PLAIN}{_REST}",
        "*": rf"\*)\t\S+(?P<refers>(?: +[^\s:]+){{2,}}){_REST}",
    }.items()
}
_REFERENCE = re.compile(r"(?:[^\s:]+:)?([^\s:]+)")


@dataclass(frozen=True, slots=True)
class Companion:
    """A line about mentions or about other such lines.

    Attributes:
        kind: one of ``KINDS``; id: as written, None for `*` and a bare `#`, which have none of their own.
        refs: the ids it refers to, in the order of the line; an event's trigger first.
    """

    kind: str
    id: str | None
    refs: tuple[str, ...]
    line: int


def parse_companion(line: Line) -> Companion | None:
    """The companion on a line of one of ``KINDS``, None if the line cannot be understood."""
    found = _SHAPES[line.kind].fullmatch(line.raw)
    if found is None:
        return None
    own = None if found["own"] in ("*", "#") else found["own"]
    return Companion(line.kind, own, tuple(ref[1] for ref in _references(found)), line.line)


def rewrite(line: Line, own: str, ids: Mapping[str, str], event: str | None = None) -> str:
    """A well-formed companion's content under the id ``own`` and with its references renamed; every other character is kept.

    ``event``: what an event is called from now on, None if that does not change.
    """
    found = _SHAPES[line.kind].fullmatch(line.raw)
    if found is None:
        raise ValueError(f"line {line.line} is no companion")
    pieces, read = [own], found.end("own")
    if event is not None:
        pieces += [line.raw[read : found.start("refers")], event]
        read = line.raw.index(":", found.start("refers"))
    for ref in _references(found):
        pieces += [line.raw[read : ref.start(1)], ids[ref[1]]]
        read = ref.end(1)
    return "".join(pieces) + line.raw[read:]


def _references(found: re.Match[str]) -> list[re.Match[str]]:
    return list(_REFERENCE.finditer(found.string, *found.span("refers")))
