"""One pass: from the texts of a document pair straight to the candidates of its mentions, with nothing kept in between.

A run that learns keeps every alignment, since its student and its counts are made of them all. A run that only projects looks at each once:
here the same functions, in the same order, see one document after the other, and find the same candidates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel

from data_contracts.projection import CANDIDATES
from pipeline_lib.alignment.align import AlignConfig, Reader, align_tables
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen_table
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import embeddings_table, typed_texts
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.gather import PairTexts, Support, candidate_tables


class OnePassConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The settings of the stages that it takes together."""

    aligner: Literal["target", "student"] = "target"
    segments: SegmentConfig = SegmentConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    align: AlignConfig = AlignConfig()
    candidates: CandidateConfig = CandidateConfig()


@dataclass(frozen=True)
class PairKnowledge:
    """What a language pair has learnt of alignment.

    Attributes:
        edges: carried log-odds of the target's types, the last row for unseen ones, shape (types + 1, 4).
        student: what projects in place of the teachers' plan, where ``aligner`` says so.
    """

    langs: tuple[str, str]
    teachers: Teachers
    edges: Floats
    student: Reader | None = None


def search(
    documents: Sequence[str],
    source: Mapping[str, GridText],
    target: Mapping[str, GridText],
    mentions: Mapping[str, pa.Table],
    support: Support,
    known: PairKnowledge,
    config: OnePassConfig,
) -> Iterator[pa.Table]:
    """CANDIDATES of each of the documents, which both sides hold: a table a document. ``mentions``: its MENTIONS, where it has some."""
    for document in documents:
        if document in mentions:
            ours, theirs = {document: source[document]}, {document: target[document]}
            yield _candidates(ours, theirs, mentions[document], {document: support.get(document, {})}, known, config)
        else:
            yield CANDIDATES.table([])


def _candidates(
    source: dict[str, GridText],
    target: dict[str, GridText],
    mentions: pa.Table,
    support: Support,
    known: PairKnowledge,
    config: OnePassConfig,
) -> pa.Table:
    segments = segment_pairs_table(source, target, known.langs, config.segments)
    ours = embeddings_table(source, known.langs[0], known.teachers.source)
    theirs = embeddings_table(target, known.langs[1], known.teachers.target)
    cost, posteriors = _whole(cost_tables(ours, theirs, segments, known.teachers, config.cost))
    if known.student is None:
        plan = sharpen_table(cost, config.sharpen)
    else:
        groups = segment_pairs(segments)
        (plan,) = _whole((part,) for part in align_tables(source, target, known.langs, groups, known.student, config.align))
    texts = PairTexts(known.langs, source, target, typed_texts(theirs), known.edges)
    (found,) = _whole((part,) for part in candidate_tables(mentions, texts, iter([plan]), posteriors, support, config.candidates))
    return found


def _whole(parts: Iterator[tuple[pa.Table, ...]]) -> tuple[pa.Table, ...]:
    """All parts of each table as one."""
    return tuple(pa.concat_tables(tables) for tables in zip(*parts, strict=True))
