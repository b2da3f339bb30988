"""One pass: from the texts of a document pair straight to its projections, with nothing kept in between.

A run that learns keeps every alignment and every candidate, since what it learns is made of them all. A run that only projects looks at
each once: here the same functions, in the same order, see some documents after the other, and find the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel

from pipeline_lib.alignment.align import AlignConfig, Reader, align_tables
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.cost import CostConfig, cost_tables, met_types
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen_table
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import embeddings_table, typed, typed_texts
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.decode import DecodeConfig, Judge, place_fragments
from pipeline_lib.projection.gather import PairTexts, Support, candidate_tables
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import CorpusKnowledge, VoteConfig

AT_ONCE = 16  # documents that are decoded together


class OnePassConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The settings of the stages that it takes together."""

    aligner: Literal["target", "student"] = "target"
    segments: SegmentConfig = SegmentConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    align: AlignConfig = AlignConfig()
    candidates: CandidateConfig = CandidateConfig()
    votes: VoteConfig = VoteConfig()
    decode: DecodeConfig = DecodeConfig()


@dataclass(frozen=True)
class PairKnowledge:
    """What a language pair has learnt.

    Attributes:
        edges: carried log-odds of the target's types, the last row for unseen ones, shape (types + 1, 4).
        corpus: what the corpus says of candidates; judge: what decides among them.
        student: what projects in place of the teachers' plan, where ``aligner`` says so.
    """

    langs: tuple[str, str]
    teachers: Teachers
    edges: Floats
    corpus: CorpusKnowledge
    judge: Judge
    student: Reader | None = None


@dataclass(frozen=True)
class Annotated:
    """One shard of a language pair: both texts by document, the source's MENTIONS and ANNOTATION_LINES, and SUPPORT of the target."""

    source: dict[str, GridText]
    target: dict[str, GridText]
    mentions: pa.Table
    lines: pa.Table
    support: Support

    def of(self, documents: Sequence[str]) -> "Annotated":
        """The same, with the annotations of these documents alone."""
        wanted = pa.array(documents, pa.string())
        mentions, lines = (table.filter(pc.is_in(table["document"], wanted)) for table in (self.mentions, self.lines))
        return replace(self, mentions=mentions, lines=lines)


def project_documents(
    documents: Sequence[str], shard: Annotated, known: PairKnowledge, aligner: str, config: OnePassConfig
) -> Iterator[tuple[pa.Table, pa.Table, dict[str, float]]]:
    """PROJECTIONS and CARRIED_LINES of annotated documents, some at a time, and the seconds that each of these took.

    Args:
        aligner: fingerprint of the teachers or the student.
    """
    target = TargetShard(known.langs[1], shard.target, aligner)
    for start in range(0, len(documents), AT_ONCE):
        some = documents[start : start + AT_ONCE]
        part = shard.of(some)
        seconds = dict.fromkeys(some, 0.0)
        marked = set(part.mentions["document"].to_pylist()) & shard.source.keys() & shard.target.keys()
        found = [document for document in some if document in marked]
        near = replace(known, teachers=_at_hand(known.teachers, found, shard))
        candidates = [_candidates(document, part.of([document]), near, config, seconds) for document in found]
        started = perf_counter()
        placed = place_fragments(pa.concat_tables(candidates), known.corpus, config.decode, known.judge) if candidates else {}
        projections, carried = _whole(project_tables(part.mentions, part.lines, shard.source, target, placed))
        share = (perf_counter() - started) / len(some)
        yield projections, carried, {document: took + share for document, took in seconds.items()}


def _at_hand(teachers: Teachers, documents: Sequence[str], shard: Annotated) -> Teachers:
    """The teachers with what they know of these documents in memory."""
    sides = ((shard.source, teachers.source), (shard.target, teachers.target))
    met = ([typed(texts[document].types, vocabulary) for document in documents] for texts, vocabulary in sides)
    return teachers.at_hand(*(met_types(texts, vocabulary) for texts, (_, vocabulary) in zip(met, sides, strict=True)))


def _candidates(document: str, shard: Annotated, known: PairKnowledge, config: OnePassConfig, seconds: dict[str, float]) -> pa.Table:
    """CANDIDATES of one document; notes how long that took."""
    started = perf_counter()
    source, target = {document: shard.source[document]}, {document: shard.target[document]}
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
    support = {document: shard.support.get(document, {})}
    parts = candidate_tables(shard.mentions, texts, iter([plan]), posteriors, support, config.candidates)
    (found,) = _whole((part,) for part in parts)
    seconds[document] = perf_counter() - started
    return found


def _whole(parts: Iterator[tuple[pa.Table, ...]]) -> tuple[pa.Table, ...]:
    """All parts of each table as one."""
    return tuple(pa.concat_tables(tables) for tables in zip(*parts, strict=True))
