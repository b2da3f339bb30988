"""One document of the corpus, from its files to rows: the text under the reading its annotations count in, mentions, other lines."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from pipeline_lib.corpus import brat, tabular
from pipeline_lib.corpus.brat import Standoff
from pipeline_lib.corpus.files import FileProblem, FileWarning, TextFile, file_problem, printable, read_bytes
from pipeline_lib.corpus.irregular import Irregularity, annotation_irregularities, text_irregularities
from pipeline_lib.corpus.standoff_rows import Row, line_rows, mention_rows
from pipeline_lib.corpus.tabular import Table
from pipeline_lib.corpus.text import BOM, NotUtf8, choose_reading, decode, readings, slices

_NOTHING = Standoff((), (), ())
# A table is parsed by the first of the threads that want it, not by all of them.
_PARSING = Lock()


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Rows of DOCUMENTS (None if rejected), MENTIONS and ANNOTATION_LINES, what was not taken, and what was although it is irregular."""

    document: Row | None
    mentions: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    warnings: list[FileWarning] = field(default_factory=list)


def read_document(
    file: TextFile, with_annotations: bool, aliases: Mapping[str, str] | None = None, with_warnings: bool = True
) -> ReadDocument:
    """Rows of one text; its annotations are not opened unless ``with_annotations``: a target's gold stays unseen until scoring.

    ``aliases`` gives labels other names. ``with_warnings``: whether irregularities are looked for.
    """
    data = read_bytes(file.path)
    if data is None:
        return _rejected(file, "unreadable")
    try:
        text = decode(data)
    except NotUtf8:
        return _rejected(file, "not_utf8")
    if not text.removeprefix(BOM).strip():
        return _rejected(file, "empty_document")
    opened = with_annotations and file.annotations is not None
    standoff, problems = read_annotations(file, text) if opened else (_NOTHING, [])
    raw, (reading, text) = text, choose_reading(text, standoff.mentions)
    standoff = brat.check_against(standoff, text)
    renamed = replace(standoff, mentions=tuple(_renamed(mention, aliases or {}) for mention in standoff.mentions))
    return ReadDocument(
        document={
            "document": file.document,
            "lang": file.lang,
            "file": file.file,
            "text": text,
            "reading": reading,
            "sha256": hashlib.sha256(data).hexdigest(),
            "characters": len(text),
        },
        mentions=mention_rows(renamed, file.document, file.lang, file.annotations or ""),
        lines=line_rows(renamed, file.document, file.lang),
        problems=problems + [_line_problem(file, problem) for problem in standoff.problems],
        warnings=[*_text_warnings(file, raw, text), *(_annotation_warnings(file, standoff, text) if opened else [])]
        if with_warnings
        else [],
    )


def read_annotations(file: TextFile, text: str) -> tuple[Standoff, list[FileProblem]]:
    """The annotations of one text, syntax only, out of its ``.ann`` or the rows of its TSV."""
    name = file.annotations or ""
    if name.endswith(".tsv"):
        table = read_table(file.root / name)
        return (_NOTHING, [_unreadable(file)]) if table is None else (_of_table(table, file.name, text), [])
    data = read_bytes(file.root / name)
    if data is None:
        return _NOTHING, [_unreadable(file)]
    try:
        return brat.parse(decode(data)), []
    except NotUtf8:
        return _NOTHING, [file_problem("not_utf8", name, file.lang, file.document)]


def annotations_hash(file: TextFile) -> str:
    """SHA-256 of what annotates this text: its ``.ann``, or its own rows of the TSV; empty where that cannot be read."""
    name = file.annotations or ""
    if not name.endswith(".tsv"):
        return hash_file(file.root / name)
    table = read_table(file.root / name)
    rows = table.documents.get(file.name, _NOTHING).mentions if table else ()
    return hashlib.sha256(repr([(row.line, row.label, row.starts, row.ends, row.surface) for row in rows]).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file, empty where it cannot be read: ingest will reject it by its rule."""
    data = read_bytes(path)
    return "" if data is None else hashlib.sha256(data).hexdigest()


def table_problems(root: Path, name: str, lang: str, names: set[str]) -> Iterator[FileProblem]:
    """What of a TSV belongs to no text: rows that are no mentions, rows of documents that are not among ``names``."""
    table = read_table(root / name) or Table()
    for problem in table.problems:
        yield FileProblem(printable(name), None, lang, problem.code, problem.rule, problem.line)
    strays = [row for document, standoff in table.documents.items() if document not in names for row in standoff.mentions]
    for row in sorted(strays, key=lambda row: row.line):
        rule = tabular.RULES["unknown_document"]
        yield FileProblem(printable(name), None, lang, "unknown_document", rule, row.line, row.starts[0], row.ends[0])


def read_table(path: Path) -> Table | None:
    """The parsed TSV, None if it cannot be read. Parsed once for all the documents of a shard, and again if the file changed."""
    try:
        known = path.stat()
    except OSError:
        return None
    with _PARSING:
        return _read_table(path, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=4)
def _read_table(path: Path, changed: int, size: int) -> Table | None:
    data = read_bytes(path)
    try:
        return None if data is None else tabular.parse_table(decode(data))
    except NotUtf8:
        return None


def _of_table(table: Table, document: str, text: str) -> Standoff:
    found = table.documents.get(document, _NOTHING)
    if table.has_text:
        return found
    # Nothing to compare with: what brat would read there is what was meant.
    _, likeliest = next(readings(text))
    return replace(found, mentions=tuple(replace(m, surface=slices(likeliest, m.starts, m.ends)) for m in found.mentions))


def _renamed(mention: brat.Mention, aliases: Mapping[str, str]) -> brat.Mention:
    label = aliases.get(mention.label, mention.label)
    return mention if label == mention.label else replace(mention, label=label, raw=brat.verbatim(mention))


def _line_problem(file: TextFile, found: brat.Problem) -> FileProblem:
    return FileProblem(
        printable(file.annotations or ""), file.document, file.lang, found.code, found.rule, found.line, found.start, found.end
    )


def _text_warnings(file: TextFile, raw: str, text: str) -> Iterator[FileWarning]:
    """Irregularities of the text under its reading, and those that the reading took away, which have no place in it."""
    left = text_irregularities(text)
    taken_away = [] if raw == text else [found for found in text_irregularities(raw) if found.code not in {other.code for other in left}]
    yield from (_warning(file, file.file, found) for found in left)
    yield from (_warning(file, file.file, replace(found, start=None, end=None)) for found in taken_away)


def _annotation_warnings(file: TextFile, standoff: Standoff, text: str) -> Iterator[FileWarning]:
    name = file.annotations or ""
    if not name.endswith(".tsv") or standoff.mentions:
        yield from (_warning(file, name, found) for found in annotation_irregularities(standoff, text))


def _warning(file: TextFile, name: str, found: Irregularity) -> FileWarning:
    place = (found.line, found.start, found.end, found.count)
    return FileWarning(printable(name), file.document, file.lang, found.code, found.rule, *place)


def _unreadable(file: TextFile) -> FileProblem:
    return file_problem("unreadable", file.annotations or "", file.lang, file.document)


def _rejected(file: TextFile, code: str) -> ReadDocument:
    return ReadDocument(None, problems=[file_problem(code, file.file, file.lang, file.document)])
