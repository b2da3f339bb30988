"""Parallel text: files of sentence pairs, for fitting. Rows are lines and columns are tabs; a quote is a character like any other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import regex

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.word_links import read_lines

SentencePair: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""The words of a sentence and of its translation."""

# As gold word alignments cut text: hyphenated words and inner apostrophes stay whole ("well-known", "sea's"), an elided word keeps its
# apostrophe and stands alone ("dell'", "acqua"), numbers keep their separators, anything else is one grapheme.
WORD = regex.compile(
    r"\p{Nd}+(?:[.,]\p{Nd}+)*"
    r"|\p{L}[\p{L}\p{M}]*['’](?=\p{L}{2})"
    r"|\p{L}[\p{L}\p{M}]*(?:[-'’\u2011]\p{L}[\p{L}\p{M}]*)*"
    r"|(?!\s)\X"
)


def read_parallel(path: Path, langs: tuple[str, str] | None = None) -> list[SentencePair]:
    """The sentence pairs of a TSV, those with an empty side left out.

    Args:
        langs: names of the source's and the target's column in a header. Without a header that holds both, the file has two columns,
            source and target.

    Raises:
        ScoreInputError: unreadable, a row of another width than the first, more than two columns and no such header, no pair at all.
    """
    lines = read_lines(path)
    header = lines[0].split("\t") if lines else []
    if langs and {*langs} <= {*header}:
        columns, first = (header.index(langs[0]), header.index(langs[1])), 1
    elif len(header) == 2:
        columns, first = (0, 1), 0
    else:
        wanted = f"columns {langs[0]} and {langs[1]}" if langs else "the columns that --langs names"
        raise ScoreInputError(f"{path}: has {len(header)} columns; two are taken as source and target, more need a header with {wanted}")
    pairs = [_pair(line, columns, len(header), f"{path}: line {number}") for number, line in enumerate(lines[first:], first + 1)]
    filled = [pair for pair in pairs if pair[0] and pair[1]]
    if not filled:
        raise ScoreInputError(f"{path}: holds no sentence pair")
    return filled


def words(text: str) -> tuple[str, ...]:
    """The words of a sentence that is not tokenised. Example: ``words("dell'acqua 2,5.") == ("dell'", "acqua", "2,5", ".")``."""
    return tuple(WORD.findall(text))


def _pair(line: str, columns: tuple[int, int], width: int, where: str) -> SentencePair:
    fields: Sequence[str] = line.split("\t")
    if len(fields) != width:
        raise ScoreInputError(f"{where}: has {len(fields)} columns, the first line has {width}")
    return words(fields[columns[0]]), words(fields[columns[1]])
