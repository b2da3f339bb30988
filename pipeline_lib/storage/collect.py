"""Garbage collection: of the last runs, of chosen ones and of the collections' models everything stays, of all others nothing.

The order makes a kill at any point harmless. A run's record goes before its artifacts, so no later run finds a model whose parts are half
gone; an artifact's record goes before its bytes, and an artifact without one does not exist. What is left then goes the next time.
"""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline_lib.storage.catalog import Artifact, Catalog, Run, read_catalog
from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.leases import PACE, Lease, Pace, dead_leases, lease
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

AT_ONCE = 16  # a bucket removes a file in tens of milliseconds


@dataclass(frozen=True)
class Plan:
    """What stays and what goes.

    Attributes:
        kept: the runs whose artifacts all stay; runs: those whose records go; progress: the records of how these went.
        artifacts: those that no kept run uses; unfinished: how many of them no run that is recorded uses.
        stay: the other artifacts; leftovers: files that belong to neither run nor artifact any more.
    """

    kept: tuple[Run, ...]
    runs: tuple[Run, ...]
    artifacts: tuple[Artifact, ...]
    unfinished: int
    stay: tuple[Artifact, ...]
    leftovers: tuple[StoredFile, ...]
    progress: tuple[StoredFile, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of all that goes."""
        return sum(file.bytes for phase in self.phases() for file in phase)

    def phases(self) -> Iterator[list[StoredFile]]:
        """The files that go; all of one phase before any of the next."""
        yield list(self.leftovers)
        yield [*self.progress, *(run.file for run in self.runs)]
        yield [artifact.record for artifact in self.artifacts if artifact.record]
        yield [file for artifact in self.artifacts for file in artifact.files]


def plan_collection(catalog: Catalog, keep_last: int, keep: Collection[str] = (), pace: Pace = PACE) -> Plan:
    """Keep the ``keep_last`` runs that were run last, those of ``keep``, those that fitted a collection's model, and those whose model one
    of these uses. Raises ``StoreError`` if there is no such run.
    """
    current = [run for run in catalog.runs if run.id in catalog.current]
    kept = _kept(catalog, [*catalog.runs[:keep_last], *(catalog.run(run) for run in keep), *current])
    needed = {address for run in kept.values() for address in run.used}
    whole = [artifact for artifact in catalog.artifacts.values() if artifact.exists]
    doomed = [artifact for artifact in whole if artifact.address not in needed]
    used = {address for run in catalog.runs for address in run.used}
    spared = {file for address in needed & catalog.artifacts.keys() for file in catalog.artifacts[address].parts}
    leftovers = [file for file in catalog.leftovers(pace.dead) if file not in spared]
    return Plan(
        kept=tuple(kept.values()),
        runs=tuple(run for run in catalog.runs if run.id not in kept),
        progress=tuple(catalog.progress[run.id] for run in catalog.runs if run.id not in kept and run.id in catalog.progress),
        artifacts=tuple(doomed),
        unfinished=sum(artifact.address not in used for artifact in doomed),
        stay=tuple(artifact for artifact in whole if artifact.address in needed),
        leftovers=(*dead_leases(catalog.leases, catalog.clock, pace.dead), *leftovers),
    )


def collect(store: Store, keep_last: int, keep: Collection[str] = (), pace: Pace = PACE) -> Plan:
    """Remove all that no kept run uses; what was removed. Raises ``StoreBusy`` while a run is at work, ``StoreError``."""
    require_runs(store)
    with lease(store, "garbage collection", "gc", pace) as held:
        plan = plan_collection(read_catalog(store, held.look()[0]), keep_last, keep, pace)
        for phase in plan.phases():
            _remove(store, phase, held)
    return plan


def require_runs(store: Store) -> None:
    """Raises ``StoreError`` if no run is recorded, which is more likely a wrong address than a store of which nothing shall stay."""
    if not store.files("runs"):
        raise StoreError(f"{store.root}: no run is recorded there, so nothing is kept and nothing removed")


def _kept(catalog: Catalog, chosen: Sequence[Run]) -> dict[str, Run]:
    """The chosen runs and, as far as they are recorded, those that their models come from."""
    known = {run.id: run for run in catalog.runs}
    kept: dict[str, Run] = {}
    waiting = list(reversed(chosen))
    while waiting:
        run = waiting.pop()
        if run.id not in kept:
            kept[run.id] = run
            waiting.extend([known[run.model]] if run.model in known else [])
    return kept


def _remove(store: Store, files: Sequence[StoredFile], held: Lease) -> None:
    def remove(file: StoredFile) -> None:
        held.check()
        store.remove(file.key)

    with ThreadPoolExecutor(AT_ONCE) as removers:
        list(removers.map(remove, files))
