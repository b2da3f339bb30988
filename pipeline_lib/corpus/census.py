"""A census: everything a corpus holds is read, nothing is changed."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.corpus.layouts import FileProblem, discover, languages, read_document


@dataclass(frozen=True)
class Census:
    """Counts by language, and every reject."""

    documents: dict[str, int]
    mentions: dict[str, int]
    rejects: list[FileProblem]

    def read_rows(self) -> list[tuple[object, ...]]:
        """(language, documents, mentions)."""
        return [(lang, self.documents[lang], self.mentions[lang]) for lang in self.documents]

    def reject_rows(self) -> list[tuple[object, ...]]:
        """(code, rule, count), the most frequent first."""
        return [(code, rule, number) for (code, rule), number in Counter((p.code, p.rule) for p in self.rejects).most_common()]

    def as_json(self) -> dict[str, object]:
        rejects = [{"file": p.file, "line": p.line, "code": p.code} for p in self.rejects]
        return {"documents": self.documents, "mentions": self.mentions, "rejects": rejects}


def take_census(root: Path) -> Census:
    """Read every text and annotation below ``root``. Raises ``CorpusError``."""
    langs = languages(root)
    found = discover(root, langs)
    documents, mentions, rejects = dict.fromkeys(langs, 0), dict.fromkeys(langs, 0), list(found.problems)
    for file in found.files:
        read = read_document(file, with_annotations=True)
        documents[file.lang] += read.document is not None
        mentions[file.lang] += len(read.mentions)
        rejects += read.problems
    return Census(documents, mentions, rejects)
