"""Reading what is to be scored: official TSV files and folders of BRAT files, into frames with the official columns."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.corpus import brat, official
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import FileProblem, TextFile, is_file
from pipeline_lib.corpus.text import BOM, NotUtf8, choose_reading, decode, offset_map

DOCUMENT = pl.col("filename").cast(pl.String).str.strip_suffix(".txt")
"""The document that a row belongs to: ``a`` and ``a.txt`` are the same one."""

_SCHEMA = {name: pl.Int64 if name in official.OFFSETS else pl.String for name in official.COLUMNS}
_TO_BE_QUOTED = "a field that starts with a quote has to be quoted"

Mentions = list[tuple[str, str, int, int, str]]
"""Rows of the official columns."""


class ScoreInputError(ValueError):
    """A file cannot be scored. The message holds its name, the broken rule, counts and row numbers, never text."""


@dataclass(frozen=True)
class Gold:
    """Gold mentions in the official columns, and how many annotations are not among them because a run rejects them."""

    mentions: pl.DataFrame
    left_out: int


def read_annotations(path: Path) -> pl.DataFrame:
    """The mentions of a TSV file, or of a folder of ``.ann`` files.

    Raises:
        ScoreInputError: the file breaks a rule of ``read_tsv``, or the folder one of ``read_ann_folder``.
    """
    return read_ann_folder(path) if path.is_dir() else read_tsv(path)


def read_gold(path: Path, aliases: Mapping[str, str] | None = None) -> Gold:
    """The same of gold, as a run reads its own: ``aliases`` give labels other names, annotations that their text does not bear out
    are left out and counted. So predictions of a run have the scores that the run gave them.

    Raises:
        ScoreInputError: see ``read_annotations``; a T line that is no mention is one only where no text lies beside it.
    """
    mentions, left_out = _read_folder(path, as_gold=True) if path.is_dir() else (read_tsv(path), 0)
    renamed = mentions.with_columns(pl.col("label").replace(dict(aliases or {})))
    _refuse(renamed["label"] == ALL_LABELS, f"{path}: label {ALL_LABELS} stands for all labels")
    return Gold(renamed, left_out)


def read_tsv(path: Path) -> pl.DataFrame:
    """The rows of an official TSV, read as ``pandas.read_csv(sep="\\t")`` does: quoted fields may hold tabs and line breaks.

    Extra columns are left out, the header typo ``strat_span`` is understood, row 1 is the first after the header. Ids stay as they
    are written, where pandas guesses: ``NA`` or ``null`` is not missing, and ``001`` is not ``1``.

    Raises:
        ScoreInputError: unreadable, a missing column, a label ``*``, an offset that is no integer, an end that is not after its start,
            or a quoted field that holds whole rows: a text that starts with a quote was written without quoting, and the official
            reader would lose the rows up to the next quote.
    """
    try:
        sheet = official.read_quoted(io.StringIO(_text(path).removeprefix(BOM), newline=""))
        rows = list(sheet.rows)
    except csv.Error as error:
        raise ScoreInputError(f"{path}: unreadable, {error}") from error
    _refuse_trouble(sheet.trouble, f"{path}: the header", "")
    if not sheet.columns:
        raise ScoreInputError(f"{path}: unreadable, no header")
    missing = sheet.lacks(official.COLUMNS)
    if missing:
        raise ScoreInputError(f"{path}: missing columns {missing}")
    for row in rows:
        _refuse_trouble(row.trouble, f"{path}: row {row.number}", f"has {row.width} fields, the header has {len(sheet.columns)}")
    return _checked(rows, str(path))


def read_ann_folder(path: Path) -> pl.DataFrame:
    """The mentions of every ``.ann`` file of a folder; a fragmented one counts with its envelope (first start, last end).

    Where the text lies beside its ``.ann``, offsets are those of a run's output, whatever the annotations count: a BOM counts, CRLF is
    one character.

    Raises:
        ScoreInputError: no ``.ann`` file in the folder, a file that cannot be read, a label ``*``, a T line that is no mention or that
            the text beside it does not bear out: left out, it would change the score.
    """
    return _read_folder(path, as_gold=False)[0]


def as_projected(file: TextFile, reading: str) -> tuple[str, Callable[[int], int]]:
    """The text as projections into it count it, which are made before its annotations are seen; and the way there from the offsets of
    ``reading``, under which these match.
    """
    text = decode(file.path.read_bytes())
    name, projected = choose_reading(text, ())
    return projected, (lambda offset: offset) if name == reading else offset_map(text, reading, name)


def _read_folder(path: Path, as_gold: bool) -> tuple[pl.DataFrame, int]:
    """The mentions, and how many annotations are left out: as gold, all that the text beside them does not bear out."""
    files = sorted(path.glob("*.ann"))
    if not files:
        raise ScoreInputError(f"{path}: no .ann file in this folder")
    rows: Mentions = []
    left_out = 0
    for file in files:
        has_text = is_file(file.with_suffix(".txt"))
        found, problems = _with_text(file) if has_text else _alone(file)
        if problems and not (as_gold and has_text):
            first = problems[0]
            raise ScoreInputError(f"{file}: {len(problems)} T lines are no mentions, the first is line {first.line} ({first.rule})")
        if any(label == ALL_LABELS for _, label, *_ in found):
            raise ScoreInputError(f"{file}: label {ALL_LABELS} stands for all labels")
        rows += found
        left_out += len(problems)
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row"), left_out


def _alone(path: Path) -> tuple[Mentions, Sequence[brat.Problem]]:
    """Mentions and problems of an ``.ann`` without its text."""
    standoff = brat.parse(_text(path))
    return [(path.stem, m.label, min(m.starts), max(m.ends), m.surface) for m in standoff.mentions], standoff.problems


def _with_text(path: Path) -> tuple[Mentions, Sequence[FileProblem]]:
    """The same of an ``.ann`` whose text lies beside it."""
    file = TextFile(path.parent, path.stem, "", f"{path.stem}.txt", path.name)
    read = read_document(file, with_annotations=True)
    for problem in read.problems:
        if problem.line is None:
            raise ScoreInputError(f"{path.parent / problem.file}: {problem.code}, {problem.rule}")
    if read.document is None:
        return [], read.problems
    text, place = as_projected(file, read.document["reading"])
    spans = [(m["label"], place(min(m["starts"])), place(max(m["ends"]))) for m in read.mentions]
    return [(path.stem, label, start, end, text[start:end]) for label, start, end in spans], read.problems


def _text(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise ScoreInputError(f"{path}: unreadable, {error.strerror}") from error
    except NotUtf8 as error:
        raise ScoreInputError(f"{path}: unreadable, {error}") from error


def _refuse_trouble(trouble: official.Trouble | None, row: str, surplus: str) -> None:
    if trouble == "unclosed":
        raise ScoreInputError(f"{row}: unreadable, a quoted field is never closed: {_TO_BE_QUOTED}")
    if trouble == "swallows":
        raise ScoreInputError(f"{row} swallows the rows below it: {_TO_BE_QUOTED}")
    if trouble == "surplus":
        raise ScoreInputError(f"{row} {surplus}")


def _checked(rows: Sequence[official.Row], path: str) -> pl.DataFrame:
    """The rows with integer offsets; a row that ends early has no text."""
    values = {name: [row.cells.get(name) for row in rows] for name in official.COLUMNS}
    offsets = {name: [official.integer(cell or "") for cell in values[name]] for name in official.OFFSETS}
    frame = pl.DataFrame(values | offsets, schema=_SCHEMA)
    for name in ("filename", "label"):
        _refuse(frame[name].fill_null("") == "", f"{path}: rows without a {name}")
    _refuse(frame["label"] == ALL_LABELS, f"{path}: label {ALL_LABELS} stands for all labels")
    for name in official.OFFSETS:
        _refuse(frame[name].is_null(), f"{path}: {name} is not an integer")
    _refuse(frame["end_span"] <= frame["start_span"], f"{path}: end_span <= start_span")
    return frame


def _refuse(broken: pl.Series, rule: str) -> None:
    """Raise with the count and the first row number if any row is broken."""
    numbers = broken.arg_true()
    if len(numbers):
        raise ScoreInputError(f"{rule}: {len(numbers)} rows, the first is row {numbers[0] + 1}")
