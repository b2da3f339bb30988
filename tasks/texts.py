"""Where a language's texts lie in the store: DOCUMENTS and UNITS of the same shard, read together."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from pipeline_lib.alignment.units import GridText, grid_texts
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.renew import hashes_of
from pipeline_lib.storage.store import Store


@dataclass(frozen=True)
class Texts:
    """One shard of one language."""

    documents: ArtifactRef
    units: ArtifactRef

    def read(self, store: Store, documents: Sequence[str] | None = None) -> dict[str, GridText]:
        """The shard's texts by document id, or those of some documents."""
        return grid_texts(store.read(self.documents, ["document", "text"], documents), store.read(self.units, documents=documents))

    def hashes(self, store: Store) -> list[dict[str, str]]:
        """See ``hashes_of``."""
        return [hashes_of(store, self.documents), hashes_of(store, self.units)]


def read_all(store: Store, shards: Iterable[Texts], wanted: Container[str] | None = None) -> dict[str, GridText]:
    """The texts of several shards, in their order; of the ``wanted`` documents only, where these are given."""
    return {document: text for shard in shards for document, text in shard.read(store).items() if wanted is None or document in wanted}


def texts_fingerprints(shards: Iterable[Texts]) -> list[str]:
    return [ref.fingerprint for shard in shards for ref in (shard.documents, shard.units)]
