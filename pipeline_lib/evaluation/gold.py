"""Gold of a target language, read when everything has been projected; earlier only of documents that a run was told to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from data_contracts.corpus import REJECTS
from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import FileProblem, TextFile, problem_row, text_file
from pipeline_lib.corpus.scan import strays
from pipeline_lib.evaluation.annotations import as_projected
from pipeline_lib.evaluation.per_document import document_scores
from pipeline_lib.evaluation.resample import ResampleConfig, scores_of
from pipeline_lib.evaluation.scorer import COUNTED, label_statistics

Mention = tuple[str, int, int]  # label, first start, last end
OFFICIAL = {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64}


@dataclass(frozen=True)
class DocumentGold:
    """Mentions of one document, whether its gold could be read at all, and what of it could not."""

    readable: bool
    mentions: list[Mention]
    problems: list[FileProblem]


def match_documents(
    root: Path, files: pa.Table, projections: pa.Table, target: str, aliases: Mapping[str, str]
) -> tuple[pa.Table, pa.Table]:
    """DOCUMENT_SCORES of scored documents, and REJECTS of their gold.

    Documents whose gold cannot be read are left out. A fragmented mention counts with its envelope: first start, last end.

    Args:
        files: CORPUS_FILES of the documents in the target language; projections: PROJECTIONS, of other documents too.
    """
    gold: list[tuple[str, str, int, int]] = []
    scored: list[str] = []
    rejects: list[dict[str, object]] = []
    for file in (text_file(root, row) for row in files.to_pylist()):
        found = gold_mentions(file, aliases)
        rejects += [problem_row("score", problem) for problem in found.problems]
        if found.readable:
            scored.append(file.document)
            gold += [(file.document, *mention) for mention in found.mentions]
    predicted = official_rows(projections).filter(pl.col("filename").is_in(scored))
    statistics = label_statistics(pl.DataFrame(gold, schema=OFFICIAL, orient="row"), predicted)
    return document_scores(statistics, target), REJECTS.table(rejects)


def score_documents(documents: pa.Table, target: str, config: ResampleConfig) -> pa.Table:
    """SCORES of all the documents (DOCUMENT_SCORES) of a language."""
    rows = pl.DataFrame(documents).filter(pl.col("label") != ALL_LABELS)
    statistics = rows.select(pl.col("document").alias("filename"), "label", *COUNTED)
    return scores_of(statistics.sort("filename", "label"), target, config)


def stray_gold(root: Path, files: pa.Table) -> pa.Table:
    """REJECTS of what the TSV files of a language's texts (CORPUS_FILES) hold that belongs to none of them."""
    return REJECTS.table([problem_row("score", problem) for problem in strays(root, [text_file(root, row) for row in files.to_pylist()])])


def gold_mentions(file: TextFile, aliases: Mapping[str, str]) -> DocumentGold:
    """The gold of one text, with offsets in the text as projections count it."""
    read = read_document(file, with_annotations=True, aliases=aliases, with_warnings=False)
    if read.document is None or any(problem.line is None for problem in read.problems):
        return DocumentGold(False, [], read.problems)
    _, places = as_projected(file, str(read.document["reading"]))
    return DocumentGold(True, [(m["label"], places(min(m["starts"])), places(max(m["ends"]))) for m in read.mentions], read.problems)


def official_rows(projections: pa.Table) -> pl.DataFrame:
    """The projected mentions in the official columns, envelope offsets, without text; document order kept."""
    frame = pl.DataFrame(projections.select(["document", "label", "starts", "ends"])).filter(pl.col("starts").list.len() > 0)
    return frame.select(
        pl.col("document").alias("filename"),
        "label",
        pl.col("starts").list.min().cast(pl.Int64).alias("start_span"),
        pl.col("ends").list.max().cast(pl.Int64).alias("end_span"),
    )
