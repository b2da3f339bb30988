"""The texts that a submission is held against: of a corpus, or of a run's output folder."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import polars as pl

from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import TextFile
from pipeline_lib.corpus.layouts import DEFAULT, CorpusConfig, discover, languages
from pipeline_lib.submission.finished import FinishedRun, open_run


@dataclass(frozen=True)
class Document:
    """A document that a row may name. ``entity`` is None where the layout names none; ``read`` gives None if it is no valid text."""

    entity: str | None
    read: Callable[[], str | None]


@dataclass(frozen=True)
class Texts:
    """Where texts come from.

    Attributes:
        languages: the codes that there are documents in.
        complete: whether a submission should hold every one of these languages.
        of: the documents of a language by official file name; no text is read until it is asked for.
    """

    languages: list[str]
    complete: bool
    of: Callable[[str], dict[str, Document]]


def texts_of_corpus(root: Path, config: CorpusConfig = DEFAULT) -> Texts:
    """The texts of a corpus folder; which language is the source it does not say. Raises ``CorpusError``."""
    return Texts(languages(root, config), False, lru_cache(1)(partial(_corpus_documents, root, config)))


def texts_of_run(folder: Path) -> Texts:
    """The target texts in a run's output folder. Raises ``SubmissionError``."""
    run = open_run(folder)
    return Texts(run.record.targets, True, lru_cache(1)(partial(_run_documents, run)))


def _corpus_documents(root: Path, config: CorpusConfig, lang: str) -> dict[str, Document]:
    return {file.name: Document(file.entity, partial(_corpus_text, file)) for file in discover(root, [lang], config).files}


def _corpus_text(file: TextFile) -> str | None:
    # As a run reads its targets: their annotations are not opened.
    row = read_document(file, with_annotations=False).document
    return None if row is None else str(row["text"])


def _run_documents(run: FinishedRun, lang: str) -> dict[str, Document]:
    rows = run.documents.filter(pl.col("lang") == lang).select("name", "entity", "document").iter_rows()
    return {
        name: Document(entity, partial(run.text, lang, document))
        for name, entity, document in rows
        if f"{lang}/{document}.txt" in run.record.files
    }
