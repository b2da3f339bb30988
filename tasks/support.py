"""Support: what an outside tagger predicts in the target texts, where the user brings it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from prefect import task

from data_contracts import CORPUS_FILES, REJECTS, SUPPORT
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.projection.support import Place, read_support, stray_support, support_hashes, tagged_files
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients, table_hash
from pipeline_lib.storage.store import Store
from tasks.scan import Scanned, listed
from tasks.stage import STAGE, shard_name

SCIENCE = "pipeline_lib.projection.support"


@dataclass(frozen=True)
class Supported:
    """SUPPORT of one shard of a target language, and what of its files was not taken."""

    main: ArtifactRef
    rejects: ArtifactRef


@task(name="support", task_run_name="support {lang} {shard}", **STAGE)
def read_shard(root: str, corpus: str, scanned: Scanned, lang: str, shard: int, place: Place, layout: CorpusConfig) -> Supported:
    """Opens the user's predictions, never the annotations beside the target texts."""
    store = Store(root)
    files = listed(root, scanned.files, lang, shard).drop_columns(["scored", "annotations"])
    files = files.append_column(CORPUS_FILES.schema.field("annotations"), pa.nulls(files.num_rows, pa.string()))
    tagged = tagged_files(Path(corpus), files, place)
    texts = dict(zip(files["document"].to_pylist(), files["sha256"].to_pylist(), strict=True))
    aliases = sorted(f"{label}={alias}" for label, alias in layout.aliases.items())
    made_of = ingredients(SUPPORT.id, SCIENCE, None, [table_hash(files), *support_hashes(tagged, place), *aliases])

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        yield read_support(tagged, texts, place, layout.aliases)

    return Supported(*store.tables([SUPPORT, REJECTS], shard_name(lang, shard, scanned.shards), made_of, make))


@task(name="support strays", task_run_name="support strays {lang}", **STAGE)
def find_strays(root: str, corpus: str, scanned: Scanned, lang: str, place: Place) -> ArtifactRef:
    """REJECTS of what belongs to no document. Looks at the disk every time, as a scan does."""
    store = Store(root)
    files = pl.DataFrame(store.read(scanned.files)).filter(pl.col("lang") == lang).to_arrow().cast(CORPUS_FILES.schema)
    found = stray_support(Path(corpus), files, lang, place)
    return store.table(REJECTS, lang, ingredients(REJECTS.id, SCIENCE, None, [table_hash(found)]), lambda: [found])
