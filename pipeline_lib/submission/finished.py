"""A finished run's output folder, read for export: its documents under their official names, and what was projected into them."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from pipeline_lib.corpus.files import is_safe, printable
from pipeline_lib.corpus.text import decode

DEFAULT_SPLIT = "test"
_PROJECTED = ["target_lang", "document", "mention", "label", "starts", "ends"]


class SubmissionError(ValueError):
    """Something cannot be exported or validated. The message holds names and counts, never text of a document."""


class RunRecord(BaseModel, frozen=True):
    """What is needed of a run's ``run.json``. ``files`` maps every file of the folder to its SHA-256."""

    run: str
    model: str
    source: str
    targets: list[str]
    config: dict[str, Any]
    files: dict[str, str]


@dataclass(frozen=True)
class FinishedRun:
    """A run's output folder. ``documents`` has a row a document and target language: document, lang, name, entity, split.

    ``name`` is the official file name, without ``.txt``, in that language; entity and split are null where the layout names none.
    """

    folder: Path
    record: RunRecord
    documents: pl.DataFrame

    def read(self, name: str) -> bytes:
        """A file of the folder. Raises ``SubmissionError`` if it is not as the run wrote it."""
        return _read(self.folder, self.record, name)

    def text(self, lang: str, document: str) -> str:
        """A text, as every offset counts in it. Raises ``SubmissionError``."""
        return decode(self.read(f"{lang}/{document}.txt"))

    def projections(self) -> pl.DataFrame:
        """target_lang, document, mention, label, starts, ends of every mention, projected or not. Raises ``SubmissionError``."""
        return _read_table(self.folder, self.record, "projections.parquet", _PROJECTED)


def open_run(folder: Path) -> FinishedRun:
    """The finished run whose outputs are in ``folder``; opens no text. Raises ``SubmissionError``."""
    try:
        record = RunRecord.model_validate_json((folder / "run.json").read_bytes())
    except (OSError, ValidationError):
        raise SubmissionError(f"{folder} holds no readable run.json: give the --out of a finished run") from None
    files = _read_table(folder, record, "corpus_files.parquet", ["document", "lang", "name", "entity", "split"])
    documents = files.filter(pl.col("lang").is_in(record.targets))
    for name in [*record.targets, *documents["name"], *documents["entity"].drop_nulls().unique()]:
        if not is_safe(name):
            raise SubmissionError(f"{folder} names something {printable(name)!r}, which cannot be a file or folder")
    return FinishedRun(folder, record, documents.sort("lang", "name"))


def _read(folder: Path, record: RunRecord, name: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise SubmissionError(f"{folder / name}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != record.files.get(name):
        raise SubmissionError(f"{folder / name} is not as the run wrote it: run it again")
    return data


def _read_table(folder: Path, record: RunRecord, name: str, columns: list[str]) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(_read(folder, record, name)), columns=columns)
    except pl.exceptions.PolarsError:
        raise SubmissionError(f"{folder / name} cannot be read, it was written by another version: run it again") from None


@dataclass(frozen=True)
class Selection:
    """What of a run is exported: ``documents`` as in ``FinishedRun``, but only those with a text, of one split (None: all).

    ``mentions`` are the run's projections of the chosen labels; ``suffix`` stands behind a file name in TSV files.
    """

    run: FinishedRun
    documents: pl.DataFrame
    mentions: pl.DataFrame
    split: str | None
    labels: tuple[str, ...]
    without_text: int
    suffix: str

    @property
    def languages(self) -> list[str]:
        """The target languages, in the run's order."""
        return self.run.record.targets

    def of(self, lang: str) -> pl.DataFrame:
        """document, name and entity of the documents of one language, by name."""
        return self.documents.filter(pl.col("lang") == lang).select("document", "name", "entity")

    def projections(self, lang: str) -> pl.DataFrame:
        """document, mention, label, starts, ends of what was projected into these documents, in the run's order."""
        projected = (pl.col("target_lang") == lang) & (pl.col("starts").list.len() > 0)
        rows = self.mentions.filter(projected).select("document", "mention", "label", "starts", "ends")
        return rows.join(self.of(lang), on="document", how="semi", maintain_order="left")

    def found_labels(self) -> list[str]:
        """The labels of the mentions of these documents, projected or not, sorted."""
        return sorted(self.mentions.join(self.documents, on="document", how="semi")["label"].unique())


def select(run: FinishedRun, split: str | None, labels: Sequence[str], suffix: str = "") -> Selection:
    """The documents of ``split``; without one those of `test` if there are any, else all. No ``labels`` means all.

    Raises:
        SubmissionError: no such split or label, or two documents of a language with one name.
    """
    splits = sorted(run.documents["split"].drop_nulls().unique())
    chosen = split if split is not None or DEFAULT_SPLIT not in splits else DEFAULT_SPLIT
    if chosen is not None and chosen not in splits:
        raise SubmissionError(f"no documents of split {printable(chosen)}; the run has: {', '.join(splits) or 'no splits'}")
    kept = run.documents if chosen is None else run.documents.filter(pl.col("split") == chosen)
    text = pl.format("{}/{}.txt", "lang", "document")
    documents = kept.filter(text.is_in(list(run.record.files)))
    named_twice = documents.height - documents.n_unique(["lang", "name"])
    if named_twice:
        raise SubmissionError(f"{named_twice} documents share their file name with another of their language: export one --split at a time")
    mentions = run.projections()
    if labels:
        mentions = mentions.filter(pl.col("label").is_in(labels))
    selection = Selection(run, documents, mentions, chosen, tuple(labels), kept.height - documents.height, suffix)
    unknown = sorted(set(labels) - set(selection.found_labels()))
    if unknown:
        raise SubmissionError(f"no mention has the label {printable(unknown[0])}")
    return selection
