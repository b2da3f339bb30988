"""Tokens with BIO tags: ``{lang}/{name}.conll``, and a table of the mentions that such tags cannot hold as they are."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.submission.finished import Selection
from pipeline_lib.submission.folder import Count, Draft, Written

NOT_EXACT = "not_exact.csv"
CODES = {
    "overlaps_another": "another mention, as long or longer, has the token: left out",
    "cuts_token": "it starts or ends within a token or in white space: written over all tokens that it touches",
    "discontinuous": "it has several pieces: each is written as a chunk of its own",
    "no_token": "it covers nothing but white space: left out",
}


@dataclass(frozen=True)
class Mention:
    """A projected mention; fragments are ascending (start, end)."""

    id: str
    label: str
    fragments: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        return self.fragments[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.fragments)

    @property
    def length(self) -> int:
        """Code points of all fragments."""
        return sum(end - start for start, end in self.fragments)


@dataclass
class Tagged:
    """One tag a unit, and (mention, code) of what they do not say exactly."""

    tags: list[str]
    written: int = 0
    not_exact: list[tuple[Mention, str]] = field(default_factory=list)


def write_conll(selection: Selection, draft: Draft) -> Written:
    """A file a document, and ``not_exact.csv``."""
    counts, codes = [], Counter[str]()
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("file", "mention", "label", "start", "end", "code"))
    for lang in selection.languages:
        mentions = 0
        for document, name, found in _documents(selection, lang):
            grid = grid_of(selection.run.text(lang, document))
            tagged = tag(grid, found)
            file = f"{lang}/{name}.conll"
            draft.write(file, conll(name, grid, tagged.tags))
            rows.writerows((file, mention.id, mention.label, mention.start, mention.end, code) for mention, code in tagged.not_exact)
            codes.update(code for _, code in tagged.not_exact)
            mentions += tagged.written
        counts.append(Count(lang, "*", selection.of(lang).height, mentions))
    draft.write(NOT_EXACT, table.getvalue())
    return Written(counts, {code: codes[code] for code in CODES})


def grid_of(text: str) -> GridText:
    """``text`` on the grid of units that every stage speaks."""
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def tag(grid: GridText, mentions: list[Mention]) -> Tagged:
    """BIO tags of the units, the longest mention first: one unit has one tag."""
    tagged = Tagged(["O"] * len(grid.starts))
    for mention in sorted(mentions, key=lambda mention: (-mention.length, mention.start)):
        chunks = _chunks(grid, mention)
        if not chunks:
            tagged.not_exact.append((mention, "no_token"))
        elif any(tagged.tags[unit] != "O" for chunk in chunks for unit in chunk):
            tagged.not_exact.append((mention, "overlaps_another"))
        else:
            for chunk in chunks:
                tagged.tags[chunk.start : chunk.stop] = [f"B-{mention.label}"] + [f"I-{mention.label}"] * (len(chunk) - 1)
            tagged.written += 1
            if not _on_edges(grid, mention):
                tagged.not_exact.append((mention, "cuts_token"))
            if len(mention.fragments) > 1:
                tagged.not_exact.append((mention, "discontinuous"))
    return tagged


def conll(name: str, grid: GridText, tags: list[str]) -> str:
    """A header, then a line a unit: surface, start, end, tag; a blank line between segments, but never within a mention."""
    lines = [f"# document = {name}"]
    first_of_segment = set(grid.breaks[1:])
    for unit, (start, end) in enumerate(zip(grid.starts, grid.ends, strict=True)):
        if unit in first_of_segment and not tags[unit].startswith("I-"):
            lines.append("")
        lines.append(f"{grid.text[start:end]}\t{start}\t{end}\t{tags[unit]}")
    return "\n".join(lines) + "\n\n"


def _chunks(grid: GridText, mention: Mention) -> list[range]:
    """The units of each fragment; fragments that share a unit are one chunk."""
    chunks: list[range] = []
    for start, end in mention.fragments:
        units = grid.units_of(start, end)
        if not units:
            continue
        if chunks and units.start < chunks[-1].stop:
            units = range(chunks.pop().start, units.stop)
        chunks.append(units)
    return chunks


def _on_edges(grid: GridText, mention: Mention) -> bool:
    """Whether every fragment starts where a unit starts and ends where one ends."""
    return all(
        bool(units) and (grid.starts[units.start], grid.ends[units.stop - 1]) == (start, end)
        for start, end in mention.fragments
        for units in [grid.units_of(start, end)]
    )


def _documents(selection: Selection, lang: str) -> Iterator[tuple[str, str, list[Mention]]]:
    """(document, name, mentions) of every document of a language."""
    mention = pl.struct("mention", "label", "starts", "ends").alias("mentions")
    found = selection.projections(lang).group_by("document", maintain_order=True).agg(mention)
    joined = selection.of(lang).join(found, on="document", how="left", maintain_order="left")
    for document, name, _, rows in joined.iter_rows():
        yield document, name, [_mention(row) for row in rows or []]


def _mention(row: dict[str, list[int]]) -> Mention:
    return Mention(str(row["mention"]), str(row["label"]), tuple(sorted(zip(row["starts"], row["ends"], strict=True))))
