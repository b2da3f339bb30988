"""Gold of a target language, read when everything has been projected; earlier only of documents that a run was told to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from data_contracts.corpus import REJECTS
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import FileProblem, TextFile, problem_row
from pipeline_lib.corpus.scan import strays, text_file
from pipeline_lib.evaluation.annotations import as_projected
from pipeline_lib.evaluation.resample import ResampleConfig, score_table
from pipeline_lib.storage.parallel import in_parallel

Mention = tuple[str, int, int]  # label, first start, last end
OFFICIAL = {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64}

ROWS_AT_ONCE = 20_000  # mentions that are held as Python objects


@dataclass(frozen=True)
class DocumentGold:
    """Mentions of one document, whether its gold could be read at all, and what of it could not."""

    readable: bool
    mentions: list[Mention]
    problems: list[FileProblem]


def score_projections(
    root: Path, files: pa.Table, projections: pa.Table, target: str, aliases: Mapping[str, str], config: ResampleConfig
) -> tuple[pa.Table, pa.Table]:
    """SCORES of PROJECTIONS into ``target`` and REJECTS of its gold.

    Documents whose gold cannot be read are left out. A fragmented mention counts with its envelope: first start, last end.

    Args:
        files: CORPUS_FILES of the target language.
    """
    texts = [text_file(root, row) for row in files.to_pylist()]
    counted = [file for file, counts in zip(texts, files["scored"].to_pylist(), strict=True) if counts]
    rejects = [problem_row("score", problem) for problem in strays(root, texts)]
    gold, scored = [pl.DataFrame(schema=OFFICIAL)], []
    waiting: list[tuple[str, str, int, int]] = []
    for file, found in zip(counted, in_parallel(lambda file: gold_mentions(file, aliases), counted), strict=True):
        rejects += [problem_row("score", problem) for problem in found.problems]
        if found.readable:
            scored.append(file.document)
            waiting += [(file.document, *mention) for mention in found.mentions]
        if len(waiting) > ROWS_AT_ONCE:
            gold.append(pl.DataFrame(waiting, schema=OFFICIAL, orient="row"))
            waiting = []
    gold.append(pl.DataFrame(waiting, schema=OFFICIAL, orient="row"))
    predicted = official_rows(projections).filter(pl.col("filename").is_in(scored))
    return score_table(pl.concat(gold), predicted, target, config), REJECTS.table(rejects)


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
