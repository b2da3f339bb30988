"""Local copies of folders that lie in a bucket: a model is read by every shard of a run, and brought here once a process."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

MOST_IDLE = 8  # copies that nobody reads at the moment; a run works on some languages' models at once


@dataclass
class _Copy:
    folder: Path
    readers: int = 0
    whole: bool = False
    bringing: Lock = field(default_factory=Lock)


class Copies:
    """Folders by name, in a temporary folder that is gone when the process ends; of those that nobody reads, the latest stay."""

    def __init__(self, most_idle: int = MOST_IDLE) -> None:
        self._most_idle = most_idle
        self._root: Path | None = None
        self._copies: dict[str, _Copy] = {}  # the one that was read last is the last
        self._lock = Lock()

    @contextmanager
    def folder(self, name: str, bring: Callable[[Path], None]) -> Iterator[Path]:
        """The folder of this name, which stays as long as the context lasts. ``bring`` fills it, unless an earlier reader's did."""
        copy = self._begin(name)
        try:
            with copy.bringing:
                if not copy.whole:
                    shutil.rmtree(copy.folder, ignore_errors=True)  # what a failure has left
                    copy.folder.mkdir()
                    bring(copy.folder)
                    copy.whole = True
            yield copy.folder
        finally:
            self._end(copy)

    def clear(self) -> None:
        """Remove all of them, where the process is about to end in a way that leaves nobody else to."""
        with self._lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)

    def _begin(self, name: str) -> _Copy:
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="spanferry-copies-"))
                weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
            copy = self._copies.pop(name, None) or _Copy(self._root / sha256(name.encode()).hexdigest())
            self._copies[name] = copy
            copy.readers += 1
            return copy

    def _end(self, copy: _Copy) -> None:
        with self._lock:
            copy.readers -= 1
            idle = [name for name, other in self._copies.items() if not other.readers]
            for name in idle[: max(0, len(idle) - self._most_idle)]:
                shutil.rmtree(self._copies.pop(name).folder, ignore_errors=True)
