"""Support: mentions that an outside tagger predicts in the target texts, as evidence for where projected mentions may lie.

They are the user's predictions, in a folder of their own, and are read as gold is: BRAT files or a TSV in the official columns, offsets
held against the text. Gold itself is never among them: nothing below the corpus is taken.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from data_contracts.corpus import REJECTS
from data_contracts.support import SUPPORT
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.corpus.documents import ReadDocument, annotations_hash, read_document, read_table, table_problems
from pipeline_lib.corpus.files import (
    CorpusError,
    Discovery,
    FileProblem,
    TextFile,
    is_file,
    is_inside,
    list_folder,
    printable,
    problem_row,
    text_file,
)
from pipeline_lib.corpus.layouts import SPELLINGS
from pipeline_lib.corpus.tabular import RULES
from pipeline_lib.evaluation.annotations import as_projected


class SupportError(CorpusError):
    """The support is not there, is not what a language needs, or is the corpus's own gold."""


@dataclass(frozen=True)
class Place:
    """Where the support of one language lies.

    Attributes:
        root: folder that files are named relative to, absolute.
        path: the language's TSV, or its folder of ``.ann`` files.
    """

    root: Path
    path: Path

    @property
    def is_table(self) -> bool:
        return self.path.suffix == ".tsv"


def find_support(given: Path, targets: Sequence[str], corpus: Path) -> dict[str, Place]:
    """What is read of each target language: ``{given}/{lang}``, or ``given`` itself where there is one target.

    Either is a folder with one TSV, or else with ``.ann`` files; ``given`` may be a TSV, too. Raises ``SupportError``.
    """
    folder = Path(os.path.abspath(given))
    found = {lang: _find(folder, lang, alone=len(targets) == 1) for lang in targets}
    missing = [lang for lang, place in found.items() if place is None]
    if missing:
        where = f"no such file or folder: {printable(str(given))}"
        if given.exists():
            wanted = "{lang}/{document}.ann or a .tsv in {lang}/" + (", or these in the folder itself" if len(targets) == 1 else "")
            where = f"{printable(str(given))} has nothing for {', '.join(missing)}: expected {wanted}"
        raise SupportError(f"--support: {where}")
    places = {lang: place for lang, place in found.items() if place is not None}
    for place in places.values():
        if is_inside(corpus, place.path):
            raise SupportError("--support: annotations below the corpus folder are its gold, which is not opened before projection")
        if place.is_table:
            _refuse_unusable(place)
    return places


def tagged_files(root: Path, files: pa.Table, place: Place) -> list[TextFile]:
    """The texts of CORPUS_FILES of one language that have support, with that in the place of their annotations.

    Args:
        root: the corpus; files: ``annotations`` are not looked at.
    """
    texts = [replace(text_file(root, row), annotations=None) for row in files.to_pylist()]
    table = read_table(place.path) if place.is_table else None
    if table is not None:
        return [replace(file, annotations=str(place.path)) for file in texts if file.name in table.documents]
    named = [(file, _standoff_of(file, place)) for file in texts]
    return [replace(file, annotations=str(path)) for file, path in named if path is not None]


def support_hashes(files: Sequence[TextFile], place: Place) -> list[str]:
    """One a text: what of the support annotates it, by name and content."""
    return [f"{file.document} {_relative(file.annotations or '', place)} {annotations_hash(file)}" for file in files]


def read_support(
    files: Sequence[TextFile], hashes: Mapping[str, str], place: Place, aliases: Mapping[str, str]
) -> tuple[pa.Table, pa.Table]:
    """SUPPORT of the given texts, and REJECTS: what of it is no mention of its text.

    Args:
        files: of ``tagged_files``; hashes: SHA-256 of each text as it was scanned, by document.

    Raises:
        CorpusError: a text is no longer what was scanned.
    """
    rows: list[dict[str, object]] = []
    rejects: list[dict[str, object]] = []
    for file in files:
        read = read_document(file, with_annotations=True, aliases=aliases)
        if read.document is not None and read.document["sha256"] != hashes[file.document]:
            raise CorpusError(f"{printable(file.file)} changed while the run was reading the corpus; run again")
        rejects += [problem_row("support", _named(problem, place)) for problem in read.problems]
        rows += _mention_rows(file, read, place)
    return SUPPORT.table(rows), REJECTS.table(rejects)


def stray_support(root: Path, files: pa.Table, lang: str, place: Place) -> pa.Table:
    """REJECTS: what of a language's support belongs to no document of the run, and rows of a TSV that are no mentions.

    Args:
        files: CORPUS_FILES of this language, all shards.
    """
    texts = [text_file(root, row) for row in files.to_pylist()]
    if place.is_table:
        found = list(table_problems(place.path.parent, place.path.name, lang, {file.name for file in texts}))
        return REJECTS.table([problem_row("support", replace(row, file=_relative(str(place.path), place))) for row in found])
    listed = Discovery()
    annotations = list_folder(place.root, place.path).accept(".ann", lang, listed)
    taken = {path.name.removesuffix(".ann") for file in texts if (path := _standoff_of(file, place)) is not None}
    rule = RULES["unknown_document"]
    unknown = sorted(annotations.keys() - taken)
    strays = [FileProblem(printable(annotations[name]), name, lang, "unknown_document", rule) for name in unknown]
    return REJECTS.table([problem_row("support", problem) for problem in [*listed.problems, *strays]])


def support_arrays(support: pa.Table, texts: Mapping[str, GridText]) -> dict[str, dict[str, Floats]]:
    """SUPPORT on the grid: by document and label, which mention covers each unit, shape (layers, units).

    Mentions count from 1, a fragment is one of its own, 0 is none; those that overlap lie in different layers.
    """
    spans: dict[tuple[str, str], list[range]] = {}
    for row in support.to_pylist():
        units = (texts[row["document"]].units_of(start, end) for start, end in zip(row["starts"], row["ends"], strict=True))
        spans.setdefault((row["document"], row["label"]), []).extend(found for found in units if found)
    arrays: dict[str, dict[str, Floats]] = {}
    for (document, label), found in spans.items():
        arrays.setdefault(document, {})[label] = _layered(found, len(texts[document].starts))
    return arrays


def _layered(spans: list[range], units: int) -> Floats:
    layers = [np.zeros(units)]
    for number, span in enumerate(sorted(spans, key=lambda span: (span.start, -span.stop)), start=1):
        free = next((layer for layer in layers if not layer[span.start : span.stop].any()), None)
        if free is None:
            layers.append(free := np.zeros(units))
        free[span.start : span.stop] = number
    return np.stack(layers)


def _find(given: Path, lang: str, alone: bool) -> Place | None:
    names = (lang, SPELLINGS.get(lang, lang))
    for path in [*(given / name for name in names), *([given] if alone else [])]:
        if path.is_dir():
            tables = sorted(path.glob("*.tsv"))
            if len(tables) > 1:
                raise SupportError(f"--support: {printable(str(path))} has {len(tables)} .tsv files, a language has one")
            if tables or any(path.glob("*.ann")):
                return Place(given, tables[0] if tables else path)
    return Place(given.parent, given) if alone and is_file(given) and given.suffix == ".tsv" else None


def _refuse_unusable(place: Place) -> None:
    """Raise ``SupportError`` where nothing of a TSV could be taken."""
    table, name = read_table(place.path), printable(str(place.path))
    if table is None:
        raise SupportError(f"--support: {name} cannot be read as UTF-8")
    for problem in table.problems:
        if problem.code == "missing_column":
            raise SupportError(f"--support: {name} lacks columns: {problem.rule}")


def _standoff_of(file: TextFile, place: Place) -> Path | None:
    """The ``.ann`` of a text, under its own name or its document's id."""
    paths = (place.path / f"{name}.ann" for name in (file.name, file.document))
    return next((path for path in paths if is_file(path) and is_inside(place.root, path)), None)


def _mention_rows(file: TextFile, read: ReadDocument, place: Place) -> Iterator[dict[str, object]]:
    if not read.mentions or read.document is None:
        return
    _, there = as_projected(file, str(read.document["reading"]))
    for mention in read.mentions:
        yield {
            "document": file.document,
            "lang": file.lang,
            "label": mention["label"],
            "starts": [there(start) for start in mention["starts"]],
            "ends": [there(end) for end in mention["ends"]],
            "file": _relative(file.annotations or "", place),
            "line": mention["line"],
        }


def _named(problem: FileProblem, place: Place) -> FileProblem:
    """The problem with its file named relative to the support, not where on this machine that lies."""
    return replace(problem, file=problem.file.removeprefix(printable(str(place.root)) + "/"))


def _relative(path: str, place: Place) -> str:
    return printable(Path(path).relative_to(place.root).as_posix())
