"""Reading what is to be scored: official TSV files and folders of BRAT files, into frames with the official columns."""

import csv
import io
from itertools import chain
from pathlib import Path

import polars as pl

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.text import BOM, NotUtf8, decode

COLUMNS = ("filename", "label", "start_span", "end_span", "text")
"""The official columns; only the profile ``multicardioner`` compares ``text``."""

DOCUMENT = pl.col("filename").cast(pl.String).str.strip_suffix(".txt")
"""The document that a row belongs to: ``a`` and ``a.txt`` are the same one."""

_TYPOS = {"strat_span": "start_span"}
_OFFSETS = ("start_span", "end_span")
_SCHEMA = {name: pl.Int64 if name in _OFFSETS else pl.String for name in COLUMNS}
_AFTER_LAST = "\0after the last row"


class ScoreInputError(ValueError):
    """A file cannot be scored. The message holds its name, the broken rule, counts and row numbers, never text."""


def read_annotations(path: Path) -> pl.DataFrame:
    """The mentions of a TSV file, or of a folder of ``.ann`` files.

    Raises:
        ScoreInputError: the file breaks a rule of ``read_tsv``, or the folder one of ``read_ann_folder``.
    """
    return read_ann_folder(path) if path.is_dir() else read_tsv(path)


def read_tsv(path: Path) -> pl.DataFrame:
    """The rows of an official TSV, read as ``pandas.read_csv(sep="\\t")`` does: quoted fields may hold tabs and line breaks.

    Extra columns are left out, the header typo ``strat_span`` is understood, row 1 is the first after the header. Ids stay as they
    are written, where pandas guesses: ``NA`` or ``null`` is not missing, and ``001`` is not ``1``.

    Raises:
        ScoreInputError: unreadable, a missing column, an offset that is no integer, an end that is not after its start, or a quoted
            field that holds whole rows: a text that starts with a quote was written without quoting, and the official reader would
            lose the rows up to the next quote.
    """
    header, *rows = _rows(path)
    names = [_TYPOS.get(name, name) for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ScoreInputError(f"{path}: missing columns {missing}")
    offsets = [names.index(name) for name in _OFFSETS]
    for number, row in enumerate(rows, start=1):
        if any(_swallowed(field, offsets) for field in row):
            raise ScoreInputError(f"{path}: row {number} swallows the rows below it: a field that starts with a quote has to be quoted")
        if len(row) > len(header):
            raise ScoreInputError(f"{path}: row {number} has {len(row)} fields, the header has {len(header)}")
    values = {name: _column(rows, names.index(name)) for name in COLUMNS}
    return _checked(pl.DataFrame(values, schema=dict.fromkeys(COLUMNS, pl.String)), str(path))


def read_ann_folder(path: Path) -> pl.DataFrame:
    """The mentions of every ``.ann`` file of a folder; a fragmented one counts with its envelope (first start, last end).

    Raises:
        ScoreInputError: no ``.ann`` file in the folder, a file that cannot be read, or a T line that is no mention: left out, it
            would change the score.
    """
    files = sorted(path.glob("*.ann"))
    if not files:
        raise ScoreInputError(f"{path}: no .ann file in this folder")
    rows = [
        (file.stem, mention.label, min(mention.starts), max(mention.ends), mention.surface)
        for file in files
        for mention in _standoff(file).mentions
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _standoff(path: Path) -> brat.Standoff:
    standoff = brat.parse(_text(path))
    if standoff.problems:
        first = standoff.problems[0]
        raise ScoreInputError(f"{path}: {len(standoff.problems)} T lines are no mentions, the first is line {first.line} ({first.rule})")
    return standoff


def _rows(path: Path) -> list[list[str]]:
    """Header and rows of a tab-separated file; blank lines are skipped, as pandas skips them."""
    text = io.StringIO(_text(path).removeprefix(BOM), newline="")
    # The csv module forgives a quote that is never closed, pandas does not: such a quote swallows the line added here.
    try:
        rows = list(csv.reader(chain(text, ["\n", _AFTER_LAST]), delimiter="\t"))
    except csv.Error as error:
        raise ScoreInputError(f"{path}: unreadable, {error}") from error
    if rows.pop() != [_AFTER_LAST]:
        raise ScoreInputError(f"{path}: unreadable, a quoted field is never closed: a field that starts with a quote has to be quoted")
    filled = [row for row in rows if len(row) > 1 or "".join(row).strip()]
    if not filled:
        raise ScoreInputError(f"{path}: unreadable, no header")
    return filled


def _text(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise ScoreInputError(f"{path}: unreadable, {error.strerror}") from error
    except NotUtf8 as error:
        raise ScoreInputError(f"{path}: unreadable, {error}") from error


def _swallowed(field: str, offsets: list[int]) -> bool:
    """Whether a later line of a field is a row itself: it has integers where the offsets stand."""
    lines = (line.split("\t") for line in field.splitlines()[1:]) if "\t" in field else ()
    return any(len(cells) > max(offsets) and all(cells[index].strip().isdecimal() for index in offsets) for cells in lines)


def _column(rows: list[list[str]], index: int) -> list[str | None]:
    """One column; rows that end early have nulls there."""
    return [row[index] if index < len(row) else None for row in rows]


def _checked(frame: pl.DataFrame, path: str) -> pl.DataFrame:
    """The frame with integer offsets. ``12.0`` and `` 12`` are integers, as pandas takes them."""
    for name in ("filename", "label"):
        _refuse(frame[name].fill_null("") == "", f"{path}: rows without a {name}")
    for name in _OFFSETS:
        number = frame[name].str.strip_chars().cast(pl.Float64, strict=False)
        whole = number.cast(pl.Int64, strict=False)
        _refuse((whole != number).fill_null(True), f"{path}: {name} is not an integer")
        frame = frame.with_columns(whole.alias(name))
    _refuse(frame["end_span"] <= frame["start_span"], f"{path}: end_span <= start_span")
    return frame


def _refuse(broken: pl.Series, rule: str) -> None:
    """Raise with the count and the first row number if any row is broken."""
    numbers = broken.arg_true()
    if len(numbers):
        raise ScoreInputError(f"{rule}: {len(numbers)} rows, the first is row {numbers[0] + 1}")
