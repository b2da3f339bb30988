"""The layout of everything else: a TSV that names every text, for corpora whose folders or file names differ by language."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pipeline_lib.corpus.files import CorpusError, Discovery, TextFile, is_file, is_inside, is_safe, printable, read_bytes
from pipeline_lib.corpus.text import BOM, NotUtf8, decode

REQUIRED = ("document", "lang", "file")
OPTIONAL = ("annotations", "split", "entity", "name")


def discover_listed(root: Path, listing: str) -> Discovery:
    """The texts that ``listing`` names: columns document, lang, file and, where given, annotations, split, entity, name.

    Raises:
        CorpusError: it cannot be read, or lacks a column.
    """
    found = Discovery()
    for line, row in _rows(root / listing, listing):
        document, lang, file = (row[name] for name in REQUIRED)
        annotations, split, entity, own_name = (row.get(name) or None for name in OPTIONAL)
        where = f"{listing}, line {line}"
        if not all(is_safe(name) for name in (document, lang, *filter(None, (split, entity, own_name)))):
            found.reject("unsafe_name", where, None)
        elif not all(is_inside(root, root / name) for name in (file, annotations) if name):
            found.reject("outside_corpus", where, lang, document)
        elif annotations and not annotations.endswith((".ann", ".tsv")):
            found.reject("unknown_annotations", where, lang, document)
        elif not all(is_file(root / name) for name in (file, annotations) if name is not None):
            found.reject("unreadable", where, lang, document)
        else:
            found.files.append(TextFile(root, document, lang, file, annotations, split, entity, own_name))
    return found


def _rows(path: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row) of the listing; cells that a line lacks are empty."""
    data = read_bytes(path)
    if data is None:
        raise CorpusError(f"cannot read the list of files {printable(name)} in the corpus")
    try:
        lines = io.StringIO(decode(data).removeprefix(BOM), newline="")
    except NotUtf8 as error:
        raise CorpusError(f"list of files {printable(name)}: {error}") from None
    # strict: a quote that is not closed would take the rows behind it for one cell.
    reader = csv.DictReader(lines, delimiter="\t", restval="", strict=True)
    try:
        missing = [column for column in REQUIRED if column not in (reader.fieldnames or [])]
        if missing:
            raise CorpusError(f"list of files {printable(name)}: missing columns {missing}")
        for row in reader:
            yield reader.line_num, {column: row[column] for column in (*REQUIRED, *OPTIONAL) if column in row}
    except csv.Error as error:
        raise CorpusError(f"list of files {printable(name)}: after line {reader.line_num}: {error}") from None
