"""Artifacts that lie damaged in the store: what a run says of them, and what it builds again."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from drill.compare import Snapshot, shard
from drill.lab import Disturbance, Lab, Undisturbed
from drill.table import Row

Change = Callable[[bytes, random.Random], bytes | None]  # None: the key is gone


def truncate(content: bytes, source: random.Random) -> bytes:
    return content[: source.randrange(1, len(content))]


def flip(content: bytes, source: random.Random) -> bytes:
    """One bit, anywhere."""
    flipped = bytearray(content)
    flipped[source.randrange(len(content))] ^= 1 << source.randrange(8)
    return bytes(flipped)


def delete(content: bytes, source: random.Random) -> None:
    return None


CHANGES: dict[str, Change] = {"truncated": truncate, "bit flipped": flip, "deleted": delete}
CASES = [
    *((change, "table", ".parquet") for change in CHANGES),
    *((change, "record", ".json") for change in CHANGES),
    *((change, "model file", ".safetensors") for change in CHANGES),
    ("truncated", "record of the last run", "collections/"),
]


def damages(lab: Lab, whole: Undisturbed, seed: int) -> Iterator[Row]:
    """One case after the other on one store, each repaired by the run after it."""
    source, name = random.Random(seed), "damage"
    lab.run(name)
    for how, what, kind in CASES:
        yield _damaged(lab, whole, name, how, what, kind, source)


def _damaged(lab: Lab, whole: Undisturbed, name: str, how: str, what: str, kind: str, source: random.Random) -> Row:
    sound = lab.look(name)
    key = source.choice(_keys(sound, kind))
    files, path = lab.swift.files(), f"{lab.swift.bucket}/{name}/{key}"
    changed = CHANGES[how](files.cat_file(path), source)
    if changed is None:
        files.rm_file(path)
    else:
        files.pipe_file(path, changed)
    before, since = lab.look(name), lab.server.now()
    ended = lab.run(name)
    told = lab.server.logged(since, "repaired")
    said = "; ".join(line for line in told if " 0 artifacts repaired" not in line) or "nothing"
    excused = frozenset(shard(record) for record in sound.records if record in before.unsound() or record not in before.records)
    found = Disturbance("damage", f"{what} {how}", key.split("/", 1)[0], ended, before, said=said, excused=excused)
    row = lab.judge(found, name, whole, rerun=ended)
    return replace(row, clear=ended.code == 0)


def _keys(store: Snapshot, kind: str) -> list[str]:
    if kind.endswith("/"):
        return sorted(key for key in store.objects if key.startswith(kind))
    if kind == ".json":
        return sorted(store.records)
    return sorted(key for key in store.objects if key.endswith(kind))
