"""What lies in a store and in an output folder, and whether two of each hold the same; apart from the product's own reading of them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

Outputs = dict[str, str]  # SHA-256 by path
NOT_COMPARED = {"report.html"}  # holds times
FINGERPRINT = re.compile("[0-9a-f]{24}")
NOT_BUILT = ("runs/", "collections/")  # records of runs, written anew by each
PASSING = ("leases/", "progress/")  # who is at work, and how far: a killed run leaves its own


@dataclass(frozen=True)
class Object:
    """One key's bytes as a hash, its size, and when it was written, in seconds."""

    sha256: str
    size: int
    written: float


@dataclass(frozen=True)
class Snapshot:
    """A store at one moment: what it holds by key, and its artifacts' records."""

    objects: dict[str, Object]
    records: dict[str, dict[str, Any] | None]  # None: no JSON object

    @property
    def finished(self) -> dict[str, float]:
        """Artifacts that exist, since their record does: when it was written, by the record's key."""
        return {key: self.objects[key].written for key in self.records}

    def unsound(self) -> list[str]:
        """Records whose artifact is not there, or not with the bytes that they promise."""
        return sorted(key for key, record in self.records.items() if not self._sound(key, record))

    def _sound(self, key: str, record: dict[str, Any] | None) -> bool:
        if record is None or not isinstance(record.get("files"), dict):
            return False
        artifact, files, sha256 = key.removesuffix(".json"), record["files"], record.get("sha256")
        if files and sha256 != hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest():
            return False
        promised = {f"{artifact}/{name}": known for name, known in files.items()} or {f"{artifact}.parquet": sha256}
        return all(name in self.objects and self.objects[name].sha256 == known for name, known in promised.items())


def snapshot(files: fsspec.AbstractFileSystem, root: str) -> Snapshot:
    """All that is below ``root``, read whole."""
    objects, records = {}, {}
    base = root.rstrip("/") + "/"
    for path, told in files.find(root, detail=True).items():
        key = path.removeprefix(base)
        if key.startswith(PASSING):
            continue
        content = files.cat_file(path)
        objects[key] = Object(hashlib.sha256(content).hexdigest(), len(content), _written(told))
        if _is_record(key):
            records[key] = _json(content)
    return Snapshot(objects, records)


def count_records(files: fsspec.AbstractFileSystem, root: str) -> int:
    """How many artifacts exist at this moment, by the names alone."""
    base = root.rstrip("/") + "/"
    return sum(_is_record(path.removeprefix(base)) for path in files.find(root))


def outputs(folder: Path) -> Outputs:
    """Every file of an output folder but those that hold times."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in NOT_COMPARED)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def different(found: Mapping[str, str], *expected: Mapping[str, str]) -> list[str]:
    """Paths that one side lacks, or whose bytes are none of the expected ones."""
    wanted: set[str] = {path for one in expected for path in one}
    wrong = {path for path in found if path in wanted and all(one.get(path) != found[path] for one in expected)}
    return sorted(wrong | (wanted ^ set(found)))


def hashes(store: Snapshot) -> dict[str, str]:
    """What is compared of a store."""
    return {key: found.sha256 for key, found in store.objects.items()}


def written(before: Snapshot, after: Snapshot) -> list[str]:
    """Records of artifacts that were written in between, anew or again."""
    then, now = before.finished, after.finished
    return sorted(key for key in now if then.get(key) != now[key])


def shard(record: str) -> str:
    """The piece of work that made an artifact: all artifacts of one task have the same shard and fingerprint."""
    return record.split("/", 1)[1]


def finished_shards(whole: Snapshot, before: Snapshot) -> set[str]:
    """Pieces of work of which every artifact of the undisturbed run exists."""
    unfinished = {shard(key) for key in whole.finished if key not in before.finished}
    return {shard(key) for key in whole.finished} - unfinished


def built_twice(whole: Snapshot, before: Snapshot, after: Snapshot) -> list[str]:
    """Pieces of work that were finished before, and were nevertheless done again."""
    return sorted(finished_shards(whole, before) & {shard(key) for key in written(before, after)})


def _is_record(key: str) -> bool:
    """A folder artifact's own JSON files lie deeper than its record, in a folder named by a fingerprint."""
    folder = key.rsplit("/", 2)[-2] if "/" in key else ""
    return key.endswith(".json") and not key.startswith((*NOT_BUILT, *PASSING)) and not FINGERPRINT.fullmatch(folder)


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _written(told: Mapping[str, Any]) -> float:
    """S3 tells a time, a folder seconds."""
    if "LastModified" in told:
        return float(told["LastModified"].timestamp())
    return float(told["mtime"])
