"""What a store holds, from one listing: artifacts, runs and what each of them uses, leases, and leftovers of what was broken off."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.lineage import Lineage
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

# A shard's name may hold slashes; a folder artifact is flat.
ARTIFACT = re.compile(r"(?P<address>[^/]+/.+/[0-9a-f]{24})(?P<rest>\.parquet|\.json|/[^/]+)")
RUN = re.compile(r"runs/(?P<run>[^/]+)\.json")
MODEL = re.compile(r"collections/[^/]+-model\.json")
LEASE = re.compile(r"leases/(run|gc)-[^/]+\.json")
ORDER = re.compile(r"orders/[^/]+\.json")
PROGRESS = re.compile(r"progress/(?P<name>[^/]+)\.json")
TEMPORARY = "/.publishing-"


@dataclass(frozen=True)
class Artifact:
    """One artifact by its address, ``contract/shard/fingerprint``: the files of its bytes, and its record. Either may be missing."""

    address: str
    files: tuple[StoredFile, ...] = ()
    record: StoredFile | None = None

    @property
    def key(self) -> str:
        """As in a run's record: with the suffix of a table, if it is one."""
        return self.files[0].key if len(self.files) == 1 and self.files[0].key.endswith(".parquet") else self.address

    @property
    def contract(self) -> str:
        return self.address.split("/", 1)[0]

    @property
    def shard(self) -> str:
        return self.address.split("/", 1)[1].rsplit("/", 1)[0]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.address)

    @property
    def parts(self) -> tuple[StoredFile, ...]:
        """All its files, the record first: without it the artifact does not exist."""
        return (*([self.record] if self.record else []), *self.files)

    @property
    def exists(self) -> bool:
        return bool(self.files) and self.record is not None

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.parts)

    @property
    def modified(self) -> float:
        return max(file.modified for file in self.parts)


@dataclass(frozen=True)
class Run:
    """A run's record, the addresses of the artifacts that it used, and when it was run last."""

    id: str
    record: Mapping[str, Any]
    used: frozenset[str]
    file: StoredFile

    @property
    def model(self) -> str:
        """The run whose model it uses: itself or an earlier one."""
        return str(self.record.get("model", self.id))


@dataclass(frozen=True)
class Catalog:
    """A store as it was listed.

    Attributes:
        clock: the store's time then; runs: the one that was run last first; artifacts: by address, broken ones too.
        current: the runs that fitted the collections' models; leases: all, dead ones too.
        progress: how far runs are or went, by the name of their lease, or by their id.
        passing: files that are of use for a moment: being published, or orders to GPU workers. What is none of ours is not listed.
    """

    root: str
    clock: float
    runs: tuple[Run, ...]
    artifacts: Mapping[str, Artifact]
    current: frozenset[str] = frozenset()
    leases: tuple[StoredFile, ...] = ()
    progress: Mapping[str, StoredFile] = field(default_factory=dict)
    passing: tuple[StoredFile, ...] = ()

    def run(self, run: str) -> Run:
        """Raises ``StoreError`` for a run that is not recorded."""
        found = next((known for known in self.runs if known.id == run), None)
        if found is None:
            raise StoreError(f"{self.root}: no such run: {run}")
        return found

    def fingerprint(self, name: str) -> str:
        """The fingerprint of an artifact, given by its key or by itself. Raises ``StoreError`` if there is no such artifact."""
        whole = [artifact for artifact in self.artifacts.values() if artifact.exists]
        found = next((each.fingerprint for each in whole if name in (each.key, each.address, each.fingerprint)), None)
        if found is None:
            raise StoreError(f"{self.root}: no such run or artifact: {name}")
        return found

    def of(self, run: Run) -> list[Artifact]:
        """The artifacts of a run that are there."""
        return [self.artifacts[address] for address in sorted(run.used) if address in self.artifacts]

    def own_bytes(self, run: Run) -> int:
        """Bytes that no other run uses."""
        return sum(artifact.bytes for artifact in self.of(run) if self._users[artifact.address] == 1)

    def leftovers(self, older_than: float) -> list[StoredFile]:
        """Files of publications, orders and runs that broke off, artifacts without a record and records without an artifact, last written
        more seconds ago than that: a younger one may be finished yet.
        """
        broken = [artifact for artifact in self.artifacts.values() if not artifact.exists]
        old = [artifact for artifact in broken if self.clock - artifact.modified > older_than]
        passing = [file for file in [*self.passing, *self._abandoned(older_than)] if self.clock - file.modified > older_than]
        return [*passing, *(file for artifact in old for file in artifact.parts)]

    def _abandoned(self, older_than: float) -> list[StoredFile]:
        """Progress of runs that neither live nor are recorded."""
        alive = {f"progress/{lease.key.split('/', 1)[1]}" for lease in self.leases if self.clock - lease.modified <= older_than}
        known = {run.id for run in self.runs}
        return [file for name, file in self.progress.items() if name not in known and file.key not in alive]

    @cached_property
    def _users(self) -> Counter[str]:
        return Counter(address for run in self.runs for address in run.used)


def read_catalog(store: Store, clock: float) -> Catalog:
    """List a store whose time is ``clock``. Raises ``StoreError`` if nothing is stored there, or for a run's record that is none."""
    files = store.files()
    if not files:
        raise StoreError(f"{store.root}: nothing is stored there")
    temporary = [file for file in files if TEMPORARY in file.key]
    kept = [file for file in files if TEMPORARY not in file.key]
    artifacts = _artifacts(kept)
    lineage = Lineage(store, artifacts)
    listed = [(match["run"], file) for file in kept if (match := RUN.fullmatch(file.key))]
    runs = [run for name, file in listed if (run := _read_run(store, name, file, lineage))]
    return Catalog(
        root=store.root,
        clock=clock,
        runs=tuple(sorted(runs, key=lambda run: (run.file.modified, run.id), reverse=True)),
        artifacts=artifacts,
        current=frozenset(run for file in kept if MODEL.fullmatch(file.key) for run in _model_of(store, file)),
        leases=tuple(file for file in kept if LEASE.fullmatch(file.key)),
        progress={match["name"]: file for file in kept if (match := PROGRESS.fullmatch(file.key))},
        passing=(*temporary, *(file for file in kept if ORDER.fullmatch(file.key))),
    )


def address_of(key: str) -> str:
    """An artifact's key without the suffix of a table."""
    return key.removesuffix(".parquet")


def fingerprint_of(address: str) -> str:
    return address.rsplit("/", 1)[1]


def _artifacts(files: Iterable[StoredFile]) -> dict[str, Artifact]:
    content: dict[str, list[StoredFile]] = {}
    records: dict[str, StoredFile] = {}
    for file in files:
        match = ARTIFACT.fullmatch(file.key)
        if match is None:
            continue
        if match["rest"] == ".json":
            records[match["address"]] = file
        else:
            content.setdefault(match["address"], []).append(file)
    found = sorted(content.keys() | records.keys())
    return {address: Artifact(address, tuple(content.get(address, ())), records.get(address)) for address in found}


def _read_run(store: Store, run: str, file: StoredFile, lineage: Lineage) -> Run | None:
    """None if it is gone since it was listed."""
    try:
        record: Any = store.read_record(file.key)
        if record is None:
            return None
        named = _named(record)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StoreError(f"{store.root}: {file.key} is not the record of a run: remove it, or run again what it stood for") from None
    # Records of releases before there was `used`: all that the results and the model were made from.
    used = named if "used" in record else named | _ancestors(lineage, named)
    return Run(run, record, frozenset(used), file)


def _named(record: Any) -> set[str]:
    """The addresses that a run's record names; raises for what is no such record."""
    parts = [ref for pair in record["models"].values() for ref in pair.values()]
    keys = {*record["artifacts"], *record.get("used", ())}
    return {address_of(key) for key in keys} | {f"{ref['contract']}/{ref['shard']}/{ref['fingerprint']}" for ref in parts}


def _ancestors(lineage: Lineage, addresses: Iterable[str]) -> set[str]:
    traced = lineage.trace(fingerprint_of(address) for address in addresses)
    return {address for fingerprint in traced for address in lineage.addresses(fingerprint)}


def _model_of(store: Store, file: StoredFile) -> list[str]:
    """The run that fitted a collection's model; none if that cannot be read, for then no run finds it either."""
    try:
        record: Any = store.read_record(file.key)
        return [str(record["run"])]
    except (ValueError, TypeError, KeyError):
        return []
