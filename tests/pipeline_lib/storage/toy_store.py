"""A small store whose artifacts are made from each other, and runs that use them."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from data_contracts import Contract, column
from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.store import Store

BEATS = Contract("beats", 1, "Heart beats.", pa.schema([column("rate", pa.int32(), "beats a minute")]), key=())
PAUSES = replace(BEATS, name="pauses")
DAY = 86400.0


def made_of(*inputs: str, reg: float = 0.1) -> Ingredients:
    return Ingredients("beats@1", {"reg": reg}, inputs, "c0de", {"numpy": "2"})


def beats(store: Store, *inputs: str, shard: str = "es/s0", reg: float = 0.1) -> ArtifactRef:
    """A table; its content follows from its ingredients."""
    origin = made_of(*inputs, reg=reg)
    rows = BEATS.table([{"rate": int(origin.fingerprint[:6], 16)}] * 50)
    return store.table(BEATS, shard, origin, lambda: [rows])


def both(store: Store, *inputs: str) -> tuple[ArtifactRef, ...]:
    """Two tables with one fingerprint."""
    rows = BEATS.table([{"rate": 1}])
    return store.tables([BEATS, PAUSES], "es/s1", made_of(*inputs), lambda: [(rows, rows)])


def student(store: Store, *inputs: str) -> ArtifactRef:
    """A folder."""

    def write(folder: Path) -> None:
        (folder / "weights.bin").write_bytes("".join(inputs).encode() * 10)
        (folder / "config.json").write_text("{}", encoding="utf-8")

    return store.folder("student", "es-en", made_of(*inputs, reg=9), write)


def record_run(
    store: Store,
    run: str,
    results: Iterable[ArtifactRef],
    used: Iterable[ArtifactRef] | None,
    model: str | None = None,
    taught: ArtifactRef | None = None,
) -> None:
    """A run's record; without ``used`` it is that of an earlier release."""
    record: dict[str, object] = {
        "run": run,
        "model": model or run,
        "source": "es",
        "targets": ["en"],
        "models": {"en": {"student": ref_as_json(taught)}} if taught else {},
        "artifacts": [ref.key for ref in results],
    }
    store.write_record(f"runs/{run}.json", record if used is None else record | {"used": [ref.key for ref in used]})


def age(store: Store, key: str, seconds: float) -> None:
    """Make a file of a folder store older than it is."""
    path = Path(store.root) / key
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))


def age_all(store: Store, seconds: float) -> None:
    for file in store.files():
        age(store, file.key, seconds)


def contents(store: Store, below: tuple[str, ...] = ("beats", "pauses", "student", "runs")) -> dict[str, bytes]:
    """Artifacts and records, byte for byte."""
    return dict(_read(store, below))


def _read(store: Store, below: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for file in store.files():
        if file.key.startswith(below):
            yield file.key, (Path(store.root) / file.key).read_bytes()
