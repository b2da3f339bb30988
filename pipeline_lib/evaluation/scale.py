"""What a run's scale shows in: how much it stored of which kind, and which documents took longest."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from itertools import groupby

from pipeline_lib.storage.artifact import ArtifactRef

MOST_SLOW = 10


@dataclass(frozen=True)
class Stored:
    """Artifacts of one contract that a run built and reused, and their bytes."""

    contract: str
    built: int
    reused: int
    bytes_built: int
    bytes_reused: int

    @property
    def bytes(self) -> int:
        return self.bytes_built + self.bytes_reused


@dataclass(frozen=True)
class SlowDocument:
    """A document by its id, what was made of it, for which language or pair of languages, and the seconds that took."""

    document: str
    contract: str
    lang: str
    seconds: float


@dataclass(frozen=True)
class Scale:
    """The largest contract first, the slowest document first."""

    stored: tuple[Stored, ...] = ()
    slowest: tuple[SlowDocument, ...] = ()


NOTHING = Scale()


def scale(used: Iterable[ArtifactRef]) -> Scale:
    """Of all artifacts that a run used, each once."""
    refs = sorted(used, key=lambda ref: ref.key)
    stored = [_stored(contract, list(group)) for contract, group in groupby(refs, key=lambda ref: ref.contract)]
    slow = (SlowDocument(document, ref.contract, ref.shard.split("/", 1)[0], seconds) for ref in refs for document, seconds in ref.slowest)
    return Scale(tuple(sorted(stored, key=lambda each: -each.bytes)), tuple(nlargest(MOST_SLOW, slow, key=lambda each: each.seconds)))


def _stored(contract: str, refs: list[ArtifactRef]) -> Stored:
    built, reused = ([ref.bytes for ref in refs if ref.reused is was] for was in (False, True))
    return Stored(contract, len(built), len(reused), sum(built), sum(reused))
