"""First part of a run: the corpus becomes rows, and every text gets its grid of units."""

from dataclasses import dataclass

from flows.config import RunConfig
from flows.runners import hire
from flows.watch import Watch
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.ingest import Ingested, ingest_shard
from tasks.scan import Scanned, scan
from tasks.stage import shard_name
from tasks.texts import Texts
from tasks.units import make_units

Cell = tuple[str, int]  # (language, shard)


@dataclass(frozen=True)
class Corpus:
    """The corpus in the store, by (language, shard)."""

    scanned: Scanned
    rows: dict[Cell, Ingested]
    texts: dict[Cell, Texts]

    @property
    def source(self) -> str:
        return self.scanned.source

    @property
    def targets(self) -> list[str]:
        return self.scanned.targets

    @property
    def shards(self) -> list[int]:
        """The shards that hold documents."""
        return self.scanned.filled

    @property
    def documents(self) -> int:
        """How many documents of the source there are."""
        return sum(self.rows[self.source, shard].documents.rows for shard in self.shards)

    @property
    def cells(self) -> list[Cell]:
        """(target language, shard) of everything that is done per language pair."""
        return [(lang, shard) for lang in self.targets for shard in self.shards]

    def pair(self, lang: str) -> str:
        return f"{self.source}-{lang}"

    def pair_shard(self, cell: Cell) -> str:
        """The cell's folder in the store."""
        return shard_name(self.pair(cell[0]), cell[1], self.scanned.shards)

    def whole(self, lang: str) -> list[Texts]:
        """All shards of a language, in order."""
        return [self.texts[lang, shard] for shard in self.shards]

    def mentions(self) -> list[ArtifactRef]:
        """MENTIONS of the source, all shards in order."""
        return [self.rows[self.source, shard].mentions for shard in self.shards]


def read_corpus(
    store: str,
    folder: str,
    source: str,
    targets: list[str],
    config: RunConfig,
    shards: int | None,
    watch: Watch,
    gold_train: str | None = None,
    trained: tuple[str, ...] = (),
    tokenizer: ArtifactRef | None = None,
) -> Corpus:
    """Scan, ingest, units.

    Args:
        tokenizer: whose pieces are the units; without one they are words.
        shards: the collection's number of shards where an earlier run chose it.
        gold_train: file that lists the documents whose gold may be learnt from; trained: those that an earlier run learnt from.
    """
    scanning = scan.submit(store, folder, source, targets, config.corpus, config.shards, shards, gold_train, trained)
    found: Scanned = watch.stage("scan", {0: scanning})[0]
    hire(config, found.files.documents * len(found.targets))
    cells = [(lang, shard) for lang in dict.fromkeys([found.source, *found.targets]) for shard in found.filled]
    rows = watch.stage(
        "ingest", {cell: ingest_shard.submit(store, folder, found, *cell, config.corpus) for cell in cells}, found.files.rows
    )
    units = watch.stage("units", {cell: make_units.submit(store, rows[cell].documents, tokenizer) for cell in cells})
    return Corpus(found, rows, {cell: Texts(rows[cell].documents, units[cell]) for cell in cells})
