"""Which runs a store shows: those at work, those that ended, and those that give no sign of life any more."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pipeline_lib.progress.record import FOLDER, RunProgress, place, read_progress
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.leases import FOLDER as LEASES
from pipeline_lib.storage.leases import PACE, Holder, holders
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

MOST_ENDED = 5
State = Literal["at work", "finished", "failed", "killed"]


@dataclass(frozen=True)
class Sighting:
    """One run as its store shows it.

    Attributes:
        id: of the run, or, before it has one, of its lease.
        seen: the last sign of life, Unix time by the store's clock; quiet: seconds since then; age: seconds since the record was written.
    """

    id: str
    state: State
    progress: RunProgress
    seen: float
    quiet: float
    age: float

    @property
    def stages(self) -> tuple[StageTime, ...]:
        """Its stages; the one at work has gone on since the record was written."""
        stages = self.progress.stages
        return (*stages[:-1], stages[-1].later(self.age)) if stages and self.state == "at work" else stages


@dataclass(frozen=True)
class View:
    """The progress records and leases of a store, as they were listed at ``clock``."""

    store: Store
    clock: float
    records: Mapping[str, StoredFile]
    leases: Mapping[str, StoredFile]

    @cached_property
    def at_work(self) -> list[str]:
        """Names of the leases that are alive."""
        return [name for name, file in self.leases.items() if self.clock - file.modified <= PACE.dead]

    def runs(self) -> list[Sighting]:
        """All that are at work, and the last that ended, the newest first."""
        ended = sorted(self.records.keys() - set(self.at_work), key=lambda name: self.records[name].modified, reverse=True)
        return self._seen([*self.at_work, *ended[:MOST_ENDED]])

    def unrecorded(self) -> list[Holder]:
        """Those at work who keep no record: they have just begun, or fill an order."""
        files = [file for name, file in self.leases.items() if name not in self.records and not name.startswith("gc-")]
        return holders(self.store, files, self.clock)

    def find(self, run: str) -> Sighting:
        """The run of this id, name or output folder; of several one at work, else the newest. Raises ``StoreError``."""
        if run in self.records and (found := self._seen([run])):
            return found[0]
        names = {run, _left_in(run)}
        known = [each for each in self._seen(self.records) if names & {each.id, each.progress.name} or each.progress.out == place(run)]
        if not known:
            raise StoreError(f"{self.store.root}: no run {run} is at work there, and none has left a record of its progress")
        return max(known, key=lambda each: (each.state == "at work", each.seen))

    def _seen(self, names: Iterable[str]) -> list[Sighting]:
        """Those whose records can be read: one may go meanwhile."""
        read = ((name, read_progress(self.store, name)) for name in names if name in self.records)
        return [self._sighting(name, progress) for name, progress in read if progress is not None]

    def _sighting(self, name: str, progress: RunProgress) -> Sighting:
        record, lease = self.records[name], self.leases.get(name)
        seen = max(record.modified, lease.modified if lease else 0.0)
        state: State = progress.state
        if state == "at work" and name not in self.at_work:
            state = "killed"
        return Sighting(name, state, progress, seen, max(0.0, self.clock - seen), max(0.0, self.clock - record.modified))


def look(store: Store, clock: float) -> View:
    """List a store whose time is ``clock``."""
    records, leases = ({_name(file): file for file in store.files(folder)} for folder in (FOLDER, LEASES))
    return View(store, clock, records, leases)


def _name(file: StoredFile) -> str:
    return file.key.rsplit("/", 1)[1].removesuffix(".json")


def _left_in(folder: str) -> str | None:
    """The id of the run whose outputs lie in a folder, if it is one."""
    try:
        found = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(found.get("run")) if isinstance(found, dict) else None
