"""The list of documents that are scored: in a shared task, a few hundred among tens of thousands of background documents."""

from collections.abc import Iterator
from pathlib import Path

from pipeline_lib.corpus.files import CorpusError, printable
from pipeline_lib.corpus.text import BOM, NotUtf8, decode

ID_COLUMNS = ("document", "filename", "doc", "id")
"""What the column of ids may be called; the first of these that is there counts."""

_VERDICTS = {"1": True, "true": True, "0": False, "false": False}


def read_scored(path: Path) -> frozenset[str]:
    """The ids listed in a file, without a final ``.txt``.

    The file holds one id a line. Or it is a TSV whose header names a column of ``ID_COLUMNS``, and perhaps a column ``scored``
    (1, 0, true or false): rows that say no are left out. Blank lines are skipped.

    Raises:
        CorpusError: unreadable, tabs but no such column, a row without an id, another word under ``scored``, or no id at all.
    """
    name = printable(str(path))
    header, *rows = _rows(path, name)
    if not set(ID_COLUMNS) & set(header[1]):
        rows = [header, *rows]
        if any(len(cells) > 1 for _, cells in rows):
            raise CorpusError(f"{name}: a list with several columns has a header with one of {', '.join(ID_COLUMNS)}")
        found = {cells[0] for _, cells in rows}
    else:
        found = set(_listed(header[1], rows, name))
    if not found:
        raise CorpusError(f"{name}: lists no document")
    return frozenset(document.removesuffix(".txt") for document in found)


def _rows(path: Path, name: str) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line that is not blank, at least one."""
    try:
        text = decode(path.read_bytes()).removeprefix(BOM)
    except OSError as error:
        raise CorpusError(f"{name}: unreadable, {error.strerror}") from error
    except NotUtf8 as error:
        raise CorpusError(f"{name}: unreadable, {error}") from error
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    rows = [(number, [cell.strip() for cell in line.split("\t")]) for number, line in lines if line.strip()]
    if not rows:
        raise CorpusError(f"{name}: lists no document")
    return rows


def _listed(header: list[str], rows: list[tuple[int, list[str]]], name: str) -> Iterator[str]:
    """The ids of a TSV's rows whose ``scored`` does not say no."""
    ids = next(header.index(column) for column in ID_COLUMNS if column in header)
    verdicts = header.index("scored") if "scored" in header else None
    for number, cells in rows:
        if len(cells) <= max(ids, verdicts or 0) or not cells[ids]:
            raise CorpusError(f"{name}: line {number} ends early or has no {header[ids]}")
        verdict = True if verdicts is None else _VERDICTS.get(cells[verdicts].lower())
        if verdict is None:
            raise CorpusError(f"{name}: line {number}: scored is 1, 0, true or false")
        if verdict:
            yield cells[ids]
