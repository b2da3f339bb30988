"""The plain layout: ``{lang}/{name}.txt`` and ``.ann`` beside it, and the configuration with which brat opens them."""

from collections import defaultdict

from pipeline_lib.corpus.text import decode
from pipeline_lib.submission.finished import Selection
from pipeline_lib.submission.folder import Count, Draft, Written

CONFIGURATION = "annotation.conf"


def write_brat(selection: Selection, draft: Draft) -> Written:
    """The run's own texts and annotations under their official names, and ``annotation.conf``."""
    counts, types = [], Types()
    for lang in selection.languages:
        mentions = 0
        for document, name, _ in selection.of(lang).iter_rows():
            annotations = decode(selection.run.read(f"{lang}/{document}.ann"))
            kept = keep_labels(annotations, selection.labels) if selection.labels else annotations
            types.add(kept)
            mentions += sum(line.startswith("T") for line in kept.split("\n"))
            draft.write(f"{lang}/{name}.txt", selection.run.text(lang, document))
            draft.write(f"{lang}/{name}.ann", kept)
        counts.append(Count(lang, "*", selection.of(lang).height, mentions))
    draft.write(CONFIGURATION, types.configuration())
    return Written(counts, {})


def keep_labels(annotations: str, labels: tuple[str, ...]) -> str:
    """The lines of an ``.ann`` file that tell of mentions with one of ``labels``: what names another is left out with it."""
    lines = annotations.split("\n")
    gone: set[str] = set()
    while True:
        more = {_fields(line)[0] for line in lines if _fields(line)[0] not in gone and _goes(line, labels, gone)}
        if not more:
            return "\n".join(line for line in lines if not _goes(line, labels, gone))
        gone |= more


def _goes(line: str, labels: tuple[str, ...], gone: set[str]) -> bool:
    name, kind, arguments = _fields(line)
    if name.startswith("T"):
        return kind not in labels
    return any(argument.rpartition(":")[2] in gone for argument in arguments)


def _fields(line: str) -> tuple[str, str, list[str]]:
    """Id, type and arguments of a line: ``R1<TAB>Cause Arg1:T1 Arg2:T2`` has two."""
    name, _, rest = line.partition("\t")
    kind, *arguments = rest.partition("\t")[0].split(" ")
    return name, kind, arguments


class Types:
    """The types that annotations use, as brat has them declared."""

    def __init__(self) -> None:
        self._labels: set[str] = set()
        self._relations: dict[str, set[str]] = defaultdict(set)
        self._attributes: dict[str, set[str]] = defaultdict(set)

    def add(self, annotations: str) -> None:
        """Take note of the types of one ``.ann`` file."""
        for line in annotations.split("\n"):
            name, kind, arguments = _fields(line)
            if name.startswith("T"):
                self._labels.add(kind)
            elif name.startswith("R"):
                self._relations[kind].update(argument.partition(":")[0] for argument in arguments)
            elif name.startswith(("A", "M")):
                self._attributes[kind].update(arguments[1:])

    def configuration(self) -> str:
        """The content of ``annotation.conf``; any two mentions may overlap."""
        relations = [
            f"{kind}\t{', '.join(f'{role}:<ENTITY>' for role in sorted(roles))}" for kind, roles in sorted(self._relations.items())
        ]
        attributes = [
            f"{kind}\tArg:<ANY>" + (f", Value:{'|'.join(sorted(values))}" if values else "")
            for kind, values in sorted(self._attributes.items())
        ]
        overlap = "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>"
        sections = {"entities": sorted(self._labels), "relations": [overlap, *relations], "events": [], "attributes": attributes}
        return "\n".join("".join(f"{line}\n" for line in [f"[{name}]", *lines]) for name, lines in sections.items())
