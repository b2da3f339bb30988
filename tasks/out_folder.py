"""The folder of a run's outputs: whose it is, and what an earlier export has written there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic_core import from_json

from pipeline_lib.storage.write import write_file

TABLES = ("projections.parquet", "carried_lines.parquet", "rejects.parquet", "warnings.parquet", "corpus_files.parquet")
# Lies in the folder while it is being written: an interrupted export is ours, and Prefect's or the user's next try may go on.
UNFINISHED = ".unfinished"

Said = TypeVar("Said")


class ExportError(ValueError):
    """The output folder holds something that no run of ours wrote."""


@dataclass(frozen=True)
class Written:
    """The folder or a part of it: its files with their hashes, and what each of its own parts is made of."""

    files: dict[str, str]
    made_of: dict[str, object]

    def of(self, ours: Callable[[str], bool]) -> Self:
        """What bears a name that is ours."""
        return type(self)(_named(self.files, ours), _named(self.made_of, ours))

    def of_language(self, lang: str) -> Self:
        return self.of(lambda name: name.startswith(f"{lang}/"))

    def of_tables(self) -> Self:
        return self.of(lambda name: name in TABLES or name == "tables")


def open_out(out: str) -> Written:
    """Make the output folder ours before anything is written there. Returns the export that lies there. Raises ``ExportError``."""
    record = check_out(Path(out))
    write_file(Path(out) / UNFINISHED, "")
    listed: dict[str, str] = record.get("files", {})
    files = {name: wanted for name, wanted in listed.items() if name[:1] != "/" and ".." not in name.split("/")}  # none outside of it
    return Written(files, record.get("made_of", {}))


def check_out(folder: Path) -> dict[str, Any]:
    """The record of an earlier run in ``folder``, if there is one. Raises ``ExportError`` if it holds files but no record of ours."""
    record = _our_record(folder / "run.json")
    foreign = record is None and folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if foreign and not (folder / UNFINISHED).is_file():
        raise ExportError(f"{folder} is not empty and holds no run.json of an earlier run: choose another --out")
    return record or {}


def _our_record(file: Path) -> dict[str, Any] | None:
    """The record of a run's outputs; None if it is not there or not ours."""
    try:
        found = from_json(file.read_bytes())  # this file may list half a million others
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and isinstance(found.get("files"), dict) and str(found.get("run", "")).startswith("run-")
    return found if ours else None


def _named(said: Mapping[str, Said], ours: Callable[[str], bool]) -> dict[str, Said]:
    return {name: what for name, what in said.items() if ours(name)}
