"""What the tasks' tests share: the whole chain of tasks on a small corpus, without a server, and what every artifact must keep."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pyarrow.parquet as pq
import pytest

from data_contracts import Contract
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.alignment.fitted import FitConfig
from pipeline_lib.alignment.segments import SegmentConfig
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.alignment.student import StudentConfig
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents
from pipeline_lib.corpus.scan import ShardConfig
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import EdgeConfig
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.store import Store
from tasks.align import align
from tasks.candidates import find_candidates
from tasks.consistency import Counted, count_corpus
from tasks.cost import Costs, cost
from tasks.distill import Distilled, distill_student
from tasks.edges import count_edges
from tasks.embed import embed
from tasks.fit import fit
from tasks.ingest import Ingested, ingest_shard
from tasks.match import Matched, match_gold
from tasks.project import Projected, project
from tasks.scan import Scanned, scan
from tasks.score import Scored, score
from tasks.segments import align_segments
from tasks.sharpen import sharpen
from tasks.stage import shard_name
from tasks.texts import Texts
from tasks.units import make_units

CORPUS = CorpusConfig()
DOCUMENTS_USED = documents()[:4]
SHARDS = ShardConfig(small=2)  # two shards: a chain of one would not notice a task that forgets the others
FIT = FitConfig(dimensions=16)
STUDENT = StudentConfig(hidden=32, layers=1)
DISTILL = DistillConfig(student=STUDENT, epochs=1, least_steps=4, threads=1)
RESAMPLE = ResampleConfig(replicates=50)

DAMAGES = pytest.mark.parametrize("damage", ["truncated", "deleted", "unrecorded"])


@dataclass(frozen=True)
class Chain:
    """Every artifact of one run from ``es`` to ``en``; by (language, shard), or by shard for what speaks of the pair."""

    root: str
    corpus: str
    scanned: Scanned
    rows: dict[tuple[str, int], Ingested]
    texts: dict[tuple[str, int], Texts]
    segments: dict[int, ArtifactRef]
    teachers: ArtifactRef
    edges: ArtifactRef
    embeddings: dict[tuple[str, int], ArtifactRef]
    costed: dict[int, Costs]
    plans: dict[int, ArtifactRef]
    distilled: Distilled
    alignments: dict[int, ArtifactRef]
    candidates: dict[int, ArtifactRef]
    counted: Counted
    projected: dict[int, Projected]
    matched: dict[int, Matched]
    scored: Scored

    @property
    def store(self) -> Store:
        return Store(self.root)

    @property
    def costs(self) -> dict[int, ArtifactRef]:
        return {shard: made.main for shard, made in self.costed.items()}

    @property
    def posteriors(self) -> dict[int, ArtifactRef]:
        return {shard: made.posteriors for shard, made in self.costed.items()}

    @property
    def projections(self) -> dict[int, ArtifactRef]:
        return {shard: made.projections for shard, made in self.projected.items()}

    @property
    def carried(self) -> dict[int, ArtifactRef]:
        return {shard: made.carried for shard, made in self.projected.items()}

    def whole(self, lang: str) -> list[Texts]:
        return whole(self.texts, lang)

    def mentions(self) -> list[ArtifactRef]:
        return [rows.mentions for (lang, _), rows in self.rows.items() if lang == "es"]

    def before_scoring(self) -> list[ArtifactRef]:
        """Every artifact that is made before the targets' annotations may be opened."""
        ingested = [ref for rows in self.rows.values() for ref in (rows.documents, rows.mentions, rows.lines, rows.rejects, rows.warnings)]
        units = [texts.units for texts in self.texts.values()]
        model = [self.teachers, self.edges, self.distilled.main, self.distilled.log, self.counted.edges, self.counted.memory]
        of_pair = (self.segments, self.costs, self.posteriors, self.plans, self.alignments, self.candidates, self.projections, self.carried)
        pairs = [ref for refs in of_pair for ref in refs.values()]
        return [self.scanned.files, self.scanned.rejects, *ingested, *units, *model, *self.embeddings.values(), *pairs]


def whole(texts: dict[tuple[str, int], Texts], lang: str) -> list[Texts]:
    return [found for (other, _), found in texts.items() if other == lang]


def run_chain(root: str, corpus: str) -> Chain:
    """Call every task of a run, in order."""
    found = scan.fn(root, corpus, "es", ["en"], CORPUS, SHARDS, None)
    shards = {shard: shard_name("es-en", shard, found.shards) for shard in found.filled}
    rows = {(lang, shard): ingest_shard.fn(root, corpus, found, lang, shard, CORPUS) for lang in ("es", "en") for shard in shards}
    texts = {cell: Texts(row.documents, make_units.fn(root, row.documents)) for cell, row in rows.items()}
    ours, theirs = ({shard: texts[lang, shard] for shard in shards} for lang in ("es", "en"))
    source, target = list(ours.values()), list(theirs.values())
    segments = {shard: align_segments.fn(root, name, ours[shard], theirs[shard], SegmentConfig()) for shard, name in shards.items()}
    teachers = fit.fn(root, "es-en", source, target, list(segments.values()), FIT)
    edges = count_edges.fn(root, source, [rows["es", shard].mentions for shard in shards], teachers, EdgeConfig())
    embeddings = {cell: embed.fn(root, texts[cell], teachers, "source" if cell[0] == "es" else "target") for cell in texts}
    costs = {
        shard: cost.fn(root, name, embeddings["es", shard], embeddings["en", shard], segments[shard], teachers, CostConfig())
        for shard, name in shards.items()
    }
    plans = {shard: sharpen.fn(root, costs[shard].main, SharpenConfig()) for shard in shards}
    student = distill_student.fn(
        root, source, target, list(segments.values()), list(plans.values()), teachers, CostConfig(), AlignConfig(), DISTILL
    )
    alignments = {
        shard: align.fn(root, name, ours[shard], theirs[shard], segments[shard], student.main, AlignConfig())
        for shard, name in shards.items()
    }
    of_shard = {
        shard: (rows["es", shard].mentions, embeddings["en", shard], edges, plans[shard], costs[shard].posteriors) for shard in shards
    }
    candidates = {shard: find_candidates.fn(root, ours[shard], theirs[shard], *of_shard[shard], CandidateConfig()) for shard in shards}
    counted = count_corpus.fn(root, list(candidates.values()), teachers, ConsistencyConfig())
    projected = {
        shard: project.fn(
            root, ours[shard], theirs[shard], rows["es", shard], candidates[shard], counted, teachers, VoteConfig(), DecodeConfig()
        )
        for shard in shards
    }
    matched = {shard: match_gold.fn(root, corpus, found, "en", shard, made.projections, CORPUS) for shard, made in projected.items()}
    scored = score.fn(root, corpus, found, "en", list(matched.values()), RESAMPLE)
    made = (segments, teachers, edges, embeddings, costs, plans, student, alignments, candidates, counted, projected, matched, scored)
    return Chain(root, corpus, found, rows, texts, *made)


def copy_of(chain: Chain, folder: Path) -> Chain:
    """The chain with a store and a corpus of its own, which a test may change."""
    shutil.copytree(chain.root, folder / "store")
    shutil.copytree(chain.corpus, folder / "corpus")
    return replace(chain, root=str(folder / "store"), corpus=str(folder / "corpus"))


def assert_kept(chain: Chain, ref: ArtifactRef, contract: Contract) -> None:
    """The artifact keeps its contract, says which it is, and is what its reference says."""
    table = chain.store.read(ref)
    contract.check(table)
    footer = pq.read_schema(Path(chain.root) / ref.key).metadata
    assert footer[b"spanferry.contract"].decode() == contract.id
    assert footer[b"spanferry.fingerprint"].decode() == ref.fingerprint
    assert (ref.contract, ref.rows) == (contract.name, table.num_rows)
    if "document" in table.column_names:
        assert ref.documents == len({name for name in table["document"].to_pylist() if name is not None})


def assert_reused(call: Callable[[], ArtifactRef], first: ArtifactRef, builder: str) -> None:
    """A second call takes what is there: ``builder``, which would make it, is not called."""

    def forbidden(*_: object, **__: object) -> NoReturn:
        raise AssertionError(f"{builder} was called")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, forbidden)
        again = call()
    assert again.reused
    assert (again.key, again.sha256, again.rows, again.documents) == (first.key, first.sha256, first.rows, first.documents)


def assert_repaired(call: Callable[[], ArtifactRef], root: str, damage: str, file: str = "") -> None:
    """A damaged artifact is made again, with the same bytes. ``file`` is one of a folder's."""
    first = call()
    path = Path(root) / first.key / file
    before = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(before[:-40])
    elif damage == "deleted":
        path.unlink()
    else:
        (Path(root) / first.contract / first.shard / f"{first.fingerprint}.json").unlink()
    again = call()
    assert first.reused and not again.reused
    assert path.read_bytes() == before
    assert again.sha256 == first.sha256
    assert call().reused


class Addressed(Exception):
    """Raised in place of building; holds the fingerprint."""


def fingerprint(call: Callable[[], Any]) -> str:
    """The fingerprint of what ``call`` would take or build, without doing so."""

    def stop(store: Store, contract: object, shard: str, made_of: Ingredients, *make: object, **how: object) -> NoReturn:
        raise Addressed(made_of.fingerprint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "tables", stop)
        patch.setattr(Store, "folder", stop)
        with pytest.raises(Addressed) as addressed:
            call()
    return str(addressed.value)


def other(ref: ArtifactRef) -> ArtifactRef:
    """A reference to an artifact made of something else."""
    return replace(ref, fingerprint="0" * 24)


def taken(ref: ArtifactRef) -> ArtifactRef:
    """A reference to the same artifact as a second run gives it."""
    return replace(ref, reused=not ref.reused, seconds=ref.seconds + 1)
