"""A folder of many files written anew: what is right already stays as it lies there."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline_lib.storage.parallel import in_parallel
from pipeline_lib.storage.place import sha256
from pipeline_lib.storage.seen import Seen
from pipeline_lib.storage.write import DRAFT, write_file


class Rewrite:
    """The files of ``folder``, each with its SHA-256.

    Args:
        part: what names the memory of these files; see ``Seen``.

    Attributes:
        intact: those that lie there as ``recorded`` tells; every byte of them has been read, now or when they were last changed.
        files: those that belong there from now on.
    """

    def __init__(self, folder: Path, recorded: Mapping[str, str], part: str) -> None:
        self.folder = folder
        self.seen = Seen(folder, part)
        found = zip(recorded.items(), self.seen.hashes(list(recorded)), strict=True)
        self.intact = {name: wanted for (name, wanted), lies_there in found if lies_there == wanted}
        self.files: dict[str, str] = {}

    def keep(self, names: Sequence[str]) -> bool:
        """Leave these files as they are; False, and nothing is done, unless all of them are intact."""
        if not all(name in self.intact for name in names):
            return False
        self.files |= {name: self.intact[name] for name in names}
        return True

    def write(self, contents: Iterable[tuple[str, str | bytes]]) -> None:
        """Write (name, content) where that does not lie there yet; text as UTF-8."""
        self.files |= in_parallel(self._write, contents)

    def add(self, name: str) -> None:
        """Take in a file that has been written by other means."""
        self.files[name] = sha256(self.folder / name)

    def _write(self, named: tuple[str, str | bytes]) -> tuple[str, str]:
        name, content = named
        data = content.encode("utf-8") if isinstance(content, str) else content
        wanted = hashlib.sha256(data).hexdigest()
        if self.intact.get(name) != wanted:
            write_file(self.folder / name, data)
            self.seen.wrote(name, wanted)
        return name, wanted


def remove_drafts(folder: Path) -> None:
    """Remove what a kill has left of files that were being written, in ``folder`` and in the folders in it."""
    for pattern in (f"{DRAFT}*", f"*/{DRAFT}*"):
        for draft in folder.glob(pattern):
            draft.unlink()
