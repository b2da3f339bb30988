"""Gold of a target language, read for the first time when everything has been projected."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa

from data_contracts.corpus import REJECTS
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import problem_row
from pipeline_lib.corpus.scan import strays, text_file
from pipeline_lib.evaluation.annotations import as_projected
from pipeline_lib.evaluation.resample import ResampleConfig, score_table

OFFICIAL = {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64}


def score_projections(
    root: Path, files: pa.Table, projections: pa.Table, target: str, aliases: Mapping[str, str], config: ResampleConfig
) -> tuple[pa.Table, pa.Table]:
    """SCORES of PROJECTIONS into ``target`` and REJECTS of its gold.

    Documents whose gold cannot be read are left out. A fragmented mention counts with its envelope: first start, last end.

    Args:
        files: CORPUS_FILES of the target language.
    """
    gold: list[tuple[str, str, int, int]] = []
    scored: set[str] = set()
    texts = [(text_file(root, row), row["scored"]) for row in files.to_pylist()]
    rejects = [problem_row("score", problem) for problem in strays(root, [file for file, _ in texts])]
    for file in (file for file, counts in texts if counts):
        read = read_document(file, with_annotations=True, aliases=aliases)
        rejects += [problem_row("score", problem) for problem in read.problems]
        if read.document is not None and not any(problem.line is None for problem in read.problems):
            scored.add(file.document)
            _, places = as_projected(file, str(read.document["reading"]))
            gold += [(file.document, m["label"], places(min(m["starts"])), places(max(m["ends"]))) for m in read.mentions]
    predicted = official_rows(projections).filter(pl.col("filename").is_in(sorted(scored)))
    frame = pl.DataFrame(gold, schema=OFFICIAL, orient="row")
    return score_table(frame, predicted, target, config), REJECTS.table(rejects)


def official_rows(projections: pa.Table) -> pl.DataFrame:
    """The projected mentions in the official columns, envelope offsets, without text; document order kept."""
    frame = pl.DataFrame(projections.select(["document", "label", "starts", "ends"])).filter(pl.col("starts").list.len() > 0)
    return frame.select(
        pl.col("document").alias("filename"),
        "label",
        pl.col("starts").list.min().cast(pl.Int64).alias("start_span"),
        pl.col("ends").list.max().cast(pl.Int64).alias("end_span"),
    )
