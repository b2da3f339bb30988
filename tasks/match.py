"""Match: projections of one shard against its gold, document by document, where there is gold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from data_contracts import DOCUMENT_SCORES, REJECTS
from pipeline_lib.corpus.files import text_file
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import annotations_hashes
from pipeline_lib.evaluation.gold import match_documents
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import digest, ingredients, table_hash
from pipeline_lib.storage.renew import AT_ONCE, Built, Work, document_hashes, hashes_of, joint_hashes, renewed_tables
from pipeline_lib.storage.seen import Seen
from pipeline_lib.storage.store import Store
from tasks.scan import Scanned, listed
from tasks.stage import STAGE, fingerprints, shard_name


@dataclass(frozen=True)
class Matched:
    """DOCUMENT_SCORES of one shard of a target language, and what of its gold could not be read. ``main`` is what progress counts."""

    main: ArtifactRef
    rejects: ArtifactRef


@task(name="match", task_run_name="match {target} {shard}", **STAGE)
def match_gold(
    root: str, corpus: str, scanned: Scanned, target: str, shard: int, projections: ArtifactRef, layout: CorpusConfig
) -> Matched:
    """The one stage that opens the targets' annotations, those of scored documents."""
    store = Store(root)
    files = listed(root, scanned.files, target, shard)
    files = files.filter(files["scored"])
    name = shard_name(f"{scanned.source}-{target}", shard, scanned.shards)
    seen = Seen(Path(corpus), f"gold {name}")
    gold = annotations_hashes([text_file(Path(corpus), row) for row in files.to_pylist()], seen)
    seen.remember()
    aliases = sorted(f"{label}={alias}" for label, alias in layout.aliases.items())
    inputs = [*aliases, table_hash(files), digest("\n".join(gold)), *fingerprints(projections)]
    made_of = ingredients(DOCUMENT_SCORES.id, "pipeline_lib.evaluation.gold", None, inputs)
    recipe = replace(made_of, inputs=tuple(aliases))

    def begin() -> Work:
        hashed = files.append_column("gold", pa.array(gold, pa.string()))

        def build(new: Sequence[str]) -> Iterator[Built]:
            projected = store.read(projections, ["document", "label", "starts", "ends"], new)
            for start in range(0, len(new), AT_ONCE):
                some = new[start : start + AT_ONCE]
                wanted = pa.array(some, pa.string())
                own, found = (table.filter(pc.is_in(table["document"], wanted)) for table in (files, projected))
                yield Built(some, match_documents(Path(corpus), own, found, target, layout.aliases))

        documents = files["document"].to_pylist()
        return Work(joint_hashes(documents, [document_hashes(documents, [hashed]), hashes_of(store, projections)]), build)

    return Matched(*renewed_tables(store, [DOCUMENT_SCORES, REJECTS], name, made_of, recipe.fingerprint, begin))
