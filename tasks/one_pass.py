"""One pass: every source mention of one shard into one language, from the texts straight to its projection (``spanferry project``)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import torch
from prefect import task

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.student import load_student
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.projection.decode import unsupervised
from pipeline_lib.projection.edges import edges_array
from pipeline_lib.projection.one_pass import Annotated, OnePassConfig, PairKnowledge, project_documents
from pipeline_lib.projection.support import support_arrays
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import code_hash, ingredients
from pipeline_lib.storage.renew import Built, Work, hashes_of, joint_hashes, renewed_tables
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision import features
from pipeline_lib.supervision.learn import judge
from tasks.consistency import Counted, read_knowledge
from tasks.fit import read_teachers
from tasks.ingest import Ingested
from tasks.project import Projected
from tasks.rerank import read_reranker
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="project", task_run_name="project {shard}", **STAGE)
def project_at_once(
    root: str,
    shard: str,
    source: Texts,
    target: Texts,
    annotated: Ingested,
    teachers: ArtifactRef,
    edges: ArtifactRef,
    corpus: Counted,
    student: ArtifactRef | None,
    reranker: ArtifactRef | None,
    config: OnePassConfig,
    support: ArtifactRef | None = None,
) -> Projected:
    """PROJECTIONS and CARRIED_LINES, and no alignment; only of documents that are new or not as they were. ``student``: if it projects."""
    store = Store(root)
    model = fingerprints(teachers, edges, corpus.edges, corpus.memory, [student] if student else [], [reranker] if reranker else [])
    model += [code_hash("pipeline_lib.supervision.learn")] if reranker else []
    own = [*texts_fingerprints([source, target]), *fingerprints(annotated.mentions, annotated.lines, [support] if support else [])]
    recipe, made_of = (
        ingredients(PROJECTIONS.id, "pipeline_lib.projection.one_pass", config, inputs) for inputs in (model, [*own, *model])
    )

    def begin() -> Work:
        tables = [store.read(ref, ["document"]) for ref in (annotated.mentions, annotated.lines)]
        documents = list(dict.fromkeys(name for table in tables for name in table["document"].to_pylist()))
        parts = [*source.hashes(store), *target.hashes(store), *([hashes_of(store, support)] if support else [])]

        def build(new: Sequence[str]) -> Iterator[Built]:
            one_blas_thread()
            torch.set_num_threads(1)
            ours, theirs = source.read(store, new), target.read(store, new)
            marked, lines = store.read(annotated.mentions, documents=new), store.read(annotated.lines, documents=new)
            seen = support_arrays(store.read(support, documents=new), theirs) if support else {}
            with ExitStack() as opened:
                known = PairKnowledge(
                    langs=(source.units.shard.split("/")[0], target.units.shard.split("/")[0]),
                    teachers=opened.enter_context(read_teachers(store, teachers)),
                    edges=edges_array(store.read(edges)),
                    corpus=read_knowledge(store, corpus, config.votes),
                    judge=judge(read_reranker(store, reranker), features.Texts(ours, theirs)) if reranker else unsupervised,
                    student=load_student(opened.enter_context(store.local(student))) if student else None,
                )
                shard_of = Annotated(ours, theirs, marked, lines, seen)
                for *tables, seconds in project_documents(new, shard_of, known, (student or teachers).fingerprint, config):
                    yield Built(list(seconds), tuple(tables), seconds)

        return Work(joint_hashes(documents, parts), build)

    return Projected(*renewed_tables(store, [PROJECTIONS, CARRIED_LINES], shard, made_of, recipe.fingerprint, begin))
