"""Where a language's texts lie in the store: DOCUMENTS and UNITS of the same shard, read together."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

import pyarrow as pa

from pipeline_lib.alignment.units import GridText, grid_texts
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import Store


@dataclass(frozen=True)
class Texts:
    """One shard of one language."""

    documents: ArtifactRef
    units: ArtifactRef

    def tables(self, store: Store) -> tuple[pa.Table, pa.Table]:
        """Documents with their texts, and UNITS: what ``grid_texts`` takes."""
        return store.read(self.documents, ["document", "text"]), store.read(self.units)

    def read(self, store: Store) -> dict[str, GridText]:
        """The shard's texts by document id."""
        return grid_texts(*self.tables(store))


def read_all(store: Store, shards: Iterable[Texts], wanted: Container[str] | None = None) -> dict[str, GridText]:
    """The texts of several shards, in their order; of the ``wanted`` documents only, where these are given."""
    return {document: text for shard in shards for document, text in shard.read(store).items() if wanted is None or document in wanted}


def texts_fingerprints(shards: Iterable[Texts]) -> list[str]:
    return [ref.fingerprint for shard in shards for ref in (shard.documents, shard.units)]
