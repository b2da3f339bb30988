"""A finished run's output folder, read for export: its documents under their official names, and what was projected into them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from pipeline_lib.corpus.files import is_safe, printable
from pipeline_lib.corpus.text import decode

DEFAULT_SPLIT = "test"


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
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise SubmissionError(f"{self.folder / name}: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != self.record.files.get(name):
            raise SubmissionError(f"{self.folder / name} is not as the run wrote it: run it again")
        return data

    def text(self, lang: str, document: str) -> str:
        """A text, as every offset counts in it. Raises ``SubmissionError``."""
        return decode(self.read(f"{lang}/{document}.txt"))


def open_run(folder: Path) -> FinishedRun:
    """The finished run whose outputs are in ``folder``; opens no text. Raises ``SubmissionError``."""
    try:
        record = RunRecord.model_validate_json((folder / "run.json").read_bytes())
        files = pl.read_parquet(folder / "corpus_files.parquet", columns=["document", "lang", "name", "entity", "split"])
    except (OSError, ValidationError, pl.exceptions.PolarsError):
        raise SubmissionError(f"{folder} holds no readable run.json and corpus_files.parquet: give the --out of a finished run") from None
    documents = files.filter(pl.col("lang").is_in(record.targets))
    for name in [*record.targets, *documents["name"], *documents["entity"].drop_nulls().unique()]:
        if not is_safe(name):
            raise SubmissionError(f"{folder} names something {printable(name)!r}, which cannot be a file or folder")
    return FinishedRun(folder, record, documents.sort("lang", "name"))


@dataclass(frozen=True)
class Selection:
    """What of a run is exported: ``documents`` as in ``FinishedRun``, but only those with a text, of one split (None: all).

    ``suffix`` stands behind a file name in TSV files.
    """

    run: FinishedRun
    documents: pl.DataFrame
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
        rows = self._rows().filter(projected).select("document", "mention", "label", "starts", "ends").collect()
        return rows.join(self.of(lang), on="document", how="semi", maintain_order="left")

    def found_labels(self) -> list[str]:
        """The labels of the mentions of these documents, projected or not, sorted."""
        rows = self._rows().select("document", "label").unique().collect()
        return sorted(rows.join(self.documents, on="document", how="semi")["label"].unique())

    def _rows(self) -> pl.LazyFrame:
        rows = pl.scan_parquet(self.run.folder / "projections.parquet")
        return rows.filter(pl.col("label").is_in(self.labels)) if self.labels else rows


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
    selection = Selection(run, documents, chosen, tuple(labels), kept.height - documents.height, suffix)
    unknown = sorted(set(labels) - set(selection.found_labels()))
    if unknown:
        raise SubmissionError(f"no mention has the label {printable(unknown[0])}")
    return selection
