"""What the fuzz ran and what became of it, counted as it runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline_lib.corpus.documents import ReadDocument


@dataclass
class Tally:
    """Examples by property; of the mutants what came in (texts, lines, T lines) and what came out of them."""

    examples: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    lines: int = 0
    claims: int = 0
    documents: int = 0
    mentions: int = 0
    mention_lines: int = 0
    other_lines: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    refused_files: int = 0
    refused_claims: int = 0
    sum_checked: bool = False

    def take(self, read: ReadDocument) -> None:
        """Count what came out of one text and its annotations."""
        self.documents += read.document is not None
        self.mentions += len(read.mentions)
        self.mention_lines += sum((row["raw"] or "").count("\n") + 1 for row in read.mentions)
        self.other_lines += len(read.lines)
        self.rejects.update(problem.code for problem in read.problems)
        self.warnings.update(warning.code for warning in read.warnings)
        self.refused_files += read.document is None
        self.refused_claims += sum(problem.line is not None for problem in read.problems)

    def check_sum(self) -> None:
        """What came in is what came out."""
        assert self.texts == self.documents + self.refused_files
        assert self.lines == self.mention_lines + self.other_lines
        assert self.claims == self.mentions + self.refused_claims
        self.sum_checked = True

    def report(self) -> Iterator[str]:
        """The figures, of what ran alone."""
        if self.examples:
            yield f"{self.examples.total():,} examples of {len(self.examples)} properties"
            yield from (f"{count:>8,} {name.removeprefix('test_').replace('_', ' ')}" for name, count in sorted(self.examples.items()))
        if self.texts:
            yield f"{self.texts:,} mutants = {self.documents:,} documents + {self.refused_files:,} refused texts"
            yield f"{self.lines:,} lines = {self.mention_lines:,} of mentions + {self.other_lines:,} others"
            yield f"{self.claims:,} T lines = {self.mentions:,} mentions + {self.refused_claims:,} refused"
            yield f"the sum is {'checked' if self.sum_checked else 'NOT checked'}"
            for name, counts in (("rejects", self.rejects), ("warnings", self.warnings)):
                yield f"{counts.total():,} {name}: {', '.join(f'{code} {count:,}' for code, count in counts.most_common())}"
