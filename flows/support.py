"""Between alignment and candidates: what an outside tagger says of the targets, where the user brings it (``run --support``)."""

from dataclasses import dataclass, field
from pathlib import Path

from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.watch import Watch
from pipeline_lib.projection.support import find_support
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.support import Supported, find_strays, read_shard


@dataclass(frozen=True)
class Support:
    """SUPPORT of every (target language, shard), and all that was not taken; nothing where no support was given."""

    cells: dict[Cell, Supported] = field(default_factory=dict)
    strays: list[ArtifactRef] = field(default_factory=list)

    @property
    def rejects(self) -> list[ArtifactRef]:
        return [*self.strays, *(made.rejects for made in self.cells.values())]

    def of(self, cell: Cell) -> ArtifactRef | None:
        made = self.cells.get(cell)
        return None if made is None else made.main

    def record(self) -> dict[str, object]:
        """For the record of the run: the tables read and the mentions in them; empty where no support was given."""
        refs = [made.main for made in self.cells.values()]
        return {"support": {"artifacts": [ref.key for ref in refs], "mentions": sum(ref.rows for ref in refs)}} if refs else {}


NO_SUPPORT = Support()


def read_support(store: str, folder: str, given: str | None, corpus: Corpus, config: RunConfig, watch: Watch) -> Support:
    """No stage at all without support. Raises ``SupportError``."""
    if given is None:
        return NO_SUPPORT
    places = find_support(Path(given), corpus.targets, Path(folder))
    # Two kinds of shard, one stage: a language's strays belong to none of its shards.
    strays = {(lang, None): find_strays.submit(store, folder, corpus.scanned, lang, place) for lang, place in places.items()}
    cells = {
        (lang, shard): read_shard.submit(store, folder, corpus.scanned, lang, shard, places[lang], config.corpus)
        for lang, shard in corpus.cells
    }
    watch.stage("support", {**cells, **strays})
    return Support({cell: made.result() for cell, made in cells.items()}, [made.result() for made in strays.values()])
