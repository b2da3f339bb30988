"""Hashes of files that this machine has read before: a file that lies there untouched is not read again.

What git's index does. A file is the one that was read if its size, its inode and its times are what they were; the time of a change
(``st_ctime``) is the system's own, which no program sets back. A change may escape the clock that falls into the tick of the reading, so of
a file that was changed moments before it was read nothing is remembered. What we write ourselves is: nobody else writes there meanwhile.
Where times cannot be trusted, on a file system that keeps none, say, set ``SPANFERRY_SEEN`` to nothing: then every byte is read every time.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from platformdirs import user_cache_path

from pipeline_lib.storage.parallel import in_parallel
from pipeline_lib.storage.place import sha256
from pipeline_lib.storage.write import write_file

MOMENTS = 2_000_000_000  # nanoseconds: the coarsest clock of a file system in use ticks every two seconds
KEPT = 90 * 24 * 3600  # seconds that a memory stays which nobody asks for: its folder may be gone

NAME = 32  # hexadecimal digits of a memory's name

_SCHEMA = pa.schema(
    [("name", pa.string()), *((name, pa.int64()) for name in ("size", "inode", "modified", "changed")), ("sha256", pa.string())]
)


class Look(NamedTuple):
    """How a file lies there; times in nanoseconds."""

    size: int
    inode: int
    modified: int
    changed: int


class Seen:
    """The files of ``folder`` that one user of this memory has to do with; ``part`` names it, so that two never write one memory.

    Names are relative to the folder. Two runs at a time do no harm: the memory of one of them stays.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._folder = os.path.realpath(folder)
        self._file = memory_file(self._folder, part)
        self._known = _load(self._file) if self._file else {}
        self._now: dict[str, tuple[Look, str]] = {}

    def hashes(self, names: Sequence[str]) -> list[str | None]:
        """SHA-256 of each of the files; None of what is not there, is no regular file or cannot be read."""
        before = time.time_ns() - MOMENTS
        looks = {name: self._look(name) for name in names}
        unknown = [name for name, look in looks.items() if look and self._known.get(name, (None,))[0] != look]
        read = dict(zip(unknown, in_parallel(self._read, unknown), strict=True))
        found = {name: read[name] if name in read else self._known[name][1] if look else None for name, look in looks.items()}
        settled = {name: look for name, look in looks.items() if look and look.changed < before}
        self._now |= {name: (look, known) for name, look in settled.items() if (known := found[name])}
        return [found[name] for name in names]

    def wrote(self, name: str, sha256: str) -> None:
        """Remember a file that was just written."""
        if look := self._look(name):
            self._now[name] = (look, sha256)

    def remember(self) -> None:
        """Keep what was seen for the next time. A place that cannot be written to is no error: then all is read again."""
        if self._file and self._now != self._known:
            _save(self._file, self._now)

    def _look(self, name: str) -> Look | None:
        try:
            found = os.stat(f"{self._folder}/{name}")
        except (OSError, ValueError):  # the latter of a name that no file can have
            return None
        return Look(found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns) if stat.S_ISREG(found.st_mode) else None

    def _read(self, name: str) -> str | None:
        try:
            return sha256(Path(f"{self._folder}/{name}"))
        except OSError:
            return None


def memory_file(folder: str, part: str) -> Path | None:
    """Where the memory lies: below ``SPANFERRY_SEEN`` or the user's caches; None if the former is set to nothing."""
    given = os.environ.get("SPANFERRY_SEEN")
    if given == "":
        return None
    name = hashlib.sha256(f"{folder}\n{part}".encode(errors="surrogateescape")).hexdigest()[:NAME]
    return Path(given or user_cache_path("spanferry") / "seen", f"{name}.parquet")


def _load(file: Path) -> dict[str, tuple[Look, str]]:
    """What was remembered; nothing if that is missing or damaged."""
    try:
        table = pq.read_table(file, schema=_SCHEMA)
    except (OSError, pa.ArrowException):
        return {}
    with suppress(OSError):
        os.utime(file)  # it was asked for
    names, *looks, hashes = (column.to_pylist() for column in table.columns)
    return dict(zip(names, zip(map(Look._make, zip(*looks, strict=True)), hashes, strict=True), strict=True))


def _save(file: Path, known: dict[str, tuple[Look, str]]) -> None:
    rows: Iterable[tuple[object, ...]] = ((name, *look, found) for name, (look, found) in sorted(known.items()))
    columns = list(zip(*rows, strict=True)) or [()] * len(_SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table([pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)], schema=_SCHEMA),
        sink,
        compression="zstd",
    )
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(file, sink.getvalue().to_pybytes())
        _forget(file.parent)
    except OSError:
        return


def _forget(memories: Path) -> None:
    """Remove those that nobody has asked for lately."""
    for memory in memories.glob(f"{'[0-9a-f]' * NAME}.parquet"):
        if memory.stat().st_mtime < time.time() - KEPT:
            memory.unlink(missing_ok=True)
