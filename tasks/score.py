"""Score: projections of one target language against its gold, where there is gold."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from prefect import task

from data_contracts import CORPUS_FILES, REJECTS, SCORES
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.corpus.documents import hash_file
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.evaluation.gold import score_projections
from pipeline_lib.evaluation.resample import ResampleConfig
from pipeline_lib.storage.fingerprint import digest, ingredients, table_hash
from pipeline_lib.storage.parallel import in_parallel
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.scan import Scanned
from tasks.stage import STAGE, fingerprints


@dataclass(frozen=True)
class Scored:
    """SCORES of one target language, and what of its gold could not be read."""

    main: ArtifactRef
    rejects: ArtifactRef


@task(name="score", task_run_name="score {target}", **STAGE)
def score(
    root: str, corpus: str, scanned: Scanned, target: str, projections: list[ArtifactRef], layout: CorpusConfig, config: ResampleConfig
) -> Scored:
    """The one stage that opens the targets' annotations."""
    store = Store(root)
    files = pl.DataFrame(store.read(scanned.files)).filter(pl.col("lang") == target).to_arrow()
    files = files.cast(CORPUS_FILES.schema)
    annotations = sorted(set(files["annotations"].drop_null().to_pylist()))
    gold = digest("\n".join(in_parallel(lambda name: hash_file(Path(corpus) / name), annotations)))
    inputs = [table_hash(files), gold, *sorted(f"{label}={alias}" for label, alias in layout.aliases.items()), *fingerprints(projections)]
    made_of = ingredients(SCORES.id, "pipeline_lib.evaluation.gold", config, inputs)

    def make() -> list[tuple[pa.Table, pa.Table]]:
        one_blas_thread()
        columns = ["document", "label", "starts", "ends"]
        projected = pa.concat_tables([store.read(ref, columns) for ref in projections])
        return [score_projections(Path(corpus), files, projected, target, layout.aliases, config)]

    return Scored(*store.tables([SCORES, REJECTS], f"{scanned.source}-{target}", made_of, make))
