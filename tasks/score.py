"""Score: projections into one target language against its gold, where there is gold."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from prefect import task

from data_contracts import CORPUS_FILES, DOCUMENT_SCORES, REJECTS, SCORES
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.corpus.documents import hash_file
from pipeline_lib.evaluation.gold import score_documents, stray_gold
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import digest, ingredients, table_hash
from pipeline_lib.storage.store import Store
from tasks.match import Matched
from tasks.scan import Scanned
from tasks.stage import STAGE, fingerprints


@dataclass(frozen=True)
class Scored:
    """SCORES of one target language; and what of its gold belongs to no document, or could not be read."""

    main: ArtifactRef
    strays: ArtifactRef
    matched: tuple[Matched, ...]

    @property
    def rejects(self) -> list[ArtifactRef]:
        return [self.strays, *(shard.rejects for shard in self.matched)]


@task(name="score", task_run_name="score {target}", **STAGE)
def score(root: str, corpus: str, scanned: Scanned, target: str, matched: list[Matched], config: ResampleConfig) -> Scored:
    """All shards together. Of the gold itself only tables of a whole language are opened, for rows that are no document's."""
    store = Store(root)
    files = pl.DataFrame(store.read(scanned.files)).filter(pl.col("lang") == target).to_arrow()
    files = files.cast(CORPUS_FILES.schema)
    tables = sorted({name for name in files["annotations"].drop_null().to_pylist() if name.endswith(".tsv")})
    inputs = [digest("\n".join(hash_file(Path(corpus) / name) for name in tables)), *fingerprints(shard.main for shard in matched)]
    made_of = ingredients(SCORES.id, "pipeline_lib.evaluation.gold", config, [*inputs, *([table_hash(files)] if tables else [])])

    def make() -> list[tuple[pa.Table, pa.Table]]:
        one_blas_thread()
        documents = pa.concat_tables([DOCUMENT_SCORES.table([]), *(store.read(shard.main) for shard in matched)])
        return [(score_documents(documents, target, config), stray_gold(Path(corpus), files))]

    scores, unowned = store.tables([SCORES, REJECTS], f"{scanned.source}-{target}", made_of, make)
    return Scored(scores, unowned, tuple(matched))
