"""Search: from the texts of one shard of a language pair straight to the spans that its mentions may have become (``project``)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pyarrow as pa
import torch
from prefect import task

from data_contracts import CANDIDATES
from pipeline_lib.alignment.student import load_student
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.projection.edges import edges_array
from pipeline_lib.projection.one_pass import OnePassConfig, PairKnowledge, search
from pipeline_lib.projection.support import support_arrays
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.renew import Build, document_hashes, renewed_table, rows_by_document
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.fit import read_teachers
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="align", task_run_name="align {shard}", **STAGE)
def search_shard(
    root: str,
    shard: str,
    source: Texts,
    target: Texts,
    mentions: ArtifactRef,
    teachers: ArtifactRef,
    edges: ArtifactRef,
    student: ArtifactRef | None,
    config: OnePassConfig,
    support: ArtifactRef | None = None,
) -> ArtifactRef:
    """CANDIDATES of the documents that both sides hold, and no alignment; only of those that are new or not as they were."""
    store = Store(root)
    model = fingerprints(teachers, edges, [student] if student else [])
    own = [*texts_fingerprints([source, target]), *fingerprints(mentions, [support] if support else [])]
    recipe = ingredients(CANDIDATES.id, "pipeline_lib.projection.one_pass", config, model)
    made_of = ingredients(CANDIDATES.id, "pipeline_lib.projection.one_pass", config, [*own, *model])

    def begin() -> Build:
        one_blas_thread()
        torch.set_num_threads(1)
        ours, theirs, marked = source.read(store), target.read(store), store.read(mentions)
        tagged = store.read(support) if support else None
        read = [store.read(ref) for texts in (source, target) for ref in (texts.documents, texts.units)]
        hashes = document_hashes([name for name in ours if name in theirs], [*read, marked, *([tagged] if tagged else [])])

        def build(documents: Sequence[str]) -> Iterator[pa.Table]:
            langs = (source.units.shard.split("/")[0], target.units.shard.split("/")[0])
            with ExitStack() as opened:
                reader = load_student(opened.enter_context(store.local(student))) if student else None
                known = PairKnowledge(langs, opened.enter_context(read_teachers(store, teachers)), edges_array(store.read(edges)), reader)
                seen = support_arrays(tagged, theirs) if tagged else {}
                yield from search(documents, ours, theirs, dict(rows_by_document(marked)), seen, known, config)

        return hashes, build

    return renewed_table(store, CANDIDATES, shard, made_of, recipe.fingerprint, begin)
