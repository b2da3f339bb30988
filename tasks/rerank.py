"""Rerank: trees that learn from the target gold of the declared documents which candidates are right."""

from pathlib import Path
from threading import Lock

import polars as pl
from prefect import task

from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision import features
from pipeline_lib.supervision.declared import Row, declared_gold, gold_hashes
from pipeline_lib.supervision.learn import learn
from pipeline_lib.supervision.rerank import RerankConfig, Reranker, load_reranker
from tasks.consistency import Counted, read_knowledge
from tasks.scan import Scanned
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, read_all, texts_fingerprints

_GROWING = Lock()
_GROWN: dict[str, Reranker] = {}


@task(name="rerank", task_run_name="rerank {corpus.edges.shard}", **STAGE)
def train_reranker(
    root: str,
    folder: str,
    scanned: Scanned,
    target: str,
    texts: tuple[list[Texts], list[Texts]],
    mentions: list[ArtifactRef],
    candidates: list[ArtifactRef],
    corpus: Counted,
    layout: CorpusConfig,
    votes: VoteConfig,
    decode: DecodeConfig,
    config: RerankConfig,
) -> ArtifactRef | None:
    """The re-ranker of one language pair, None where no declared document has gold in ``target``. Opens no other document's gold."""
    store = Store(root)
    rows = declared_rows(store, scanned, target)
    gold = declared_gold(Path(folder), rows, layout.aliases)
    if not gold:
        return None
    source, into = texts
    inputs = [
        *sorted(f"{label}={alias}" for label, alias in layout.aliases.items()),
        *[f"{row['document']}={found}" for row, found in zip(rows, gold_hashes(Path(folder), rows), strict=True)],
        *texts_fingerprints([*source, *into]),
        *fingerprints(mentions, candidates, corpus.edges, corpus.memory),
        votes.model_dump_json(),
        decode.model_dump_json(include={"weights", "memory", "temperature"}),
    ]

    def make(made: Path) -> None:
        one_blas_thread()
        known = read_knowledge(store, corpus, votes)
        parts = (part for ref in candidates for part in store.scan(ref))
        both = features.Texts(read_all(store, source), read_all(store, into))
        learn(parts, (store.read(ref) for ref in mentions), gold, known, both, decode, config).save(made)

    made_of = ingredients("reranker@1", "pipeline_lib.supervision.learn", config, inputs)
    return store.folder("reranker", corpus.edges.shard, made_of, make)


def read_reranker(store: Store, ref: ArtifactRef) -> Reranker:
    """The re-ranker that ``train_reranker`` stored; grown once a process, not once a shard."""
    with _GROWING:
        if ref.sha256 not in _GROWN:
            with store.local(ref) as folder:
                _GROWN[ref.sha256] = load_reranker(folder)
        return _GROWN[ref.sha256]


def declared_rows(store: Store, scanned: Scanned, target: str) -> list[Row]:
    """Rows of CORPUS_FILES of the declared documents that have annotations in ``target``."""
    files = pl.DataFrame(store.read(scanned.files)).filter(pl.col("annotations").is_not_null(), lang=target)
    return files.filter(pl.col("document").is_in(scanned.trained)).sort("document").to_dicts()
