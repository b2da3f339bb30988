"""A census: everything a corpus holds is read, nothing is changed."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import Discovery, FileProblem, FileWarning
from pipeline_lib.corpus.layouts import CorpusConfig, NoLanguage, discover, languages
from pipeline_lib.corpus.plain import discover_tree
from pipeline_lib.corpus.scan import strays, unknown_scored

COLUMNS = ("severity", "file", "line", "code", "start", "end", "count", "rule")


@dataclass(frozen=True)
class Census:
    """Counts by language (empty where the layout tells none), every reject and every warning."""

    documents: dict[str, int]
    mentions: dict[str, int]
    rejects: list[FileProblem]
    warnings: list[FileWarning]

    def read_rows(self) -> list[tuple[object, ...]]:
        """(language, documents, mentions)."""
        return [(lang or "-", self.documents[lang], self.mentions[lang]) for lang in self.documents]

    def finding_rows(self) -> list[tuple[object, ...]]:
        """(severity, code, rule, files, count), rejects first, the most frequent first."""
        places: Counter[tuple[str, str, str]] = Counter()
        files: dict[tuple[str, str, str], set[str]] = {}
        for severity, found in self._findings():
            kind = (severity, found.code, found.rule)
            places[kind] += found.count if isinstance(found, FileWarning) else 1
            files.setdefault(kind, set()).add(found.file)
        ordered = sorted(places, key=lambda kind: (kind[0], -places[kind], kind[1]))
        return [(*kind, len(files[kind]), places[kind]) for kind in ordered]

    def csv(self) -> str:
        """One row a finding, for the corpus's owner: where and which rule, no text."""
        sheet = io.StringIO(newline="")
        writer = csv.writer(sheet, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._rows())
        return sheet.getvalue()

    def as_json(self) -> dict[str, object]:
        findings = [dict(zip(COLUMNS, row, strict=True)) for row in self._rows()]
        return {"documents": self.documents, "mentions": self.mentions, "findings": findings}

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for severity, found in self._findings():
            count = found.count if isinstance(found, FileWarning) else 1
            yield severity, found.file, found.line, found.code, found.start, found.end, count, found.rule

    def _findings(self) -> Iterator[tuple[str, FileProblem]]:
        yield from (("reject", found) for found in self.rejects)
        yield from (("warning", found) for found in self.warnings)


def take_census(root: Path, config: CorpusConfig) -> Census:
    """Read every text and annotation below ``root``; a folder of no layout is read as a tree of texts. Raises ``CorpusError``."""
    found = _discover(root, config)
    langs = sorted({file.lang for file in found.files})
    documents, mentions = dict.fromkeys(langs, 0), dict.fromkeys(langs, 0)
    rejects, warnings = [*found.problems, *strays(root, found.files), *unknown_scored(root, config, found.files)], []
    for file in found.files:
        read = read_document(file, with_annotations=True, aliases=config.aliases)
        documents[file.lang] += read.document is not None
        mentions[file.lang] += len(read.mentions)
        rejects += read.problems
        warnings += read.warnings
    return Census(documents, mentions, rejects, warnings)


def _discover(root: Path, config: CorpusConfig) -> Discovery:
    try:
        return discover(root, languages(root, config), config)
    except NoLanguage:
        tree = discover_tree(root) if config == CorpusConfig(aliases=config.aliases) else Discovery()
        if not tree.files and not tree.problems:
            raise
        return tree
