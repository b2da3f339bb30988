"""``annotation.conf``: the types that annotations use, as brat has them declared."""

from collections import defaultdict

from pipeline_lib.corpus.annotation_lines import Line
from pipeline_lib.corpus.brat import Standoff
from pipeline_lib.corpus.companions import KINDS, Companion, parse_companion

_DIGITS = "0123456789"
_PARTS = frozenset(",|")

Roles = dict[str, set[str]]


class AnnotationTypes:
    """The types found so far: of mentions, events, relations, equivalences, and of attributes with their values."""

    def __init__(self) -> None:
        self._labels: set[str] = set()
        self._events: Roles = defaultdict(set)
        self._relations: Roles = defaultdict(set)
        self._equivalences: set[str] = set()
        self._attributes: dict[str, set[str]] = defaultdict(set)

    def add(self, standoff: Standoff) -> None:
        """Take note of the types of one ``.ann`` file."""
        triggers = set()
        for line in standoff.others:
            companion = parse_companion(line) if line.kind in KINDS else None
            if companion is not None:
                self._add_companion(line, companion)
                triggers |= {companion.refs[0]} if companion.kind == "E" else set()
        # The type of a trigger is its event's: brat has it under [events].
        self._labels |= {mention.label for mention in standoff.mentions if mention.id not in triggers}

    def _add_companion(self, line: Line, companion: Companion) -> None:
        rest = line.content.partition("\t")[2]
        kind, *arguments = rest.partition("\t")[0].split()
        roles = [argument.partition(":")[0] for argument in arguments]
        match companion.kind:
            case "E":
                # brat numbers the arguments of one role: Theme, Theme2.
                self._events[kind.partition(":")[0]].update(role.rstrip(_DIGITS) or role for role in roles)
            case "R":
                self._relations[kind].update(roles)
            case "*":
                self._equivalences.add(kind)
            case "A" | "M":
                value = rest.split()[2:]
                # What parts values in annotation.conf cannot be within one, and brat opens nothing that it cannot read there.
                self._attributes[kind].update(value if len(value) == 1 and _PARTS.isdisjoint(value[0]) else [])

    def configuration(self) -> str:
        """The content of ``annotation.conf``; any two mentions may overlap, and any may stand in any role."""
        some = "<ENTITY>|<EVENT>" if self._events else "<ENTITY>"
        sections = {
            "entities": sorted(self._labels),
            "relations": [
                f"<OVERLAP>\tArg1:{some}, Arg2:{some}, <OVL-TYPE>:<ANY>",
                *(f"{kind}\tArg1:{some}, Arg2:{some}, <REL-TYPE>:symmetric-transitive" for kind in sorted(self._equivalences)),
                *(f"{kind}\t{_arguments(roles, some)}" for kind, roles in sorted(self._relations.items())),
            ],
            "events": [f"{kind}\t{_arguments(roles, some, '*')}".rstrip() for kind, roles in sorted(self._events.items())],
            "attributes": [
                f"{kind}\tArg:<ANY>" + (f", Value:{'|'.join(sorted(values))}" if values else "")
                for kind, values in sorted(self._attributes.items())
            ],
        }
        return "\n".join("".join(f"{line}\n" for line in [f"[{name}]", *lines]) for name, lines in sections.items())


def _arguments(roles: set[str], some: str, times: str = "") -> str:
    """``ROLE:TYPE`` for each role; ``times`` stands behind the role."""
    return ", ".join(f"{role}{times}:{some}" for role in sorted(roles))
