"""The folder that an export writes: complete or said to be unfinished, and never into somebody's own files."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pipeline_lib.storage.write import write_file
from pipeline_lib.submission.finished import SubmissionError

CONFIG = "config.json"
ARCHIVE = "submission.zip"
WRITTEN_BY = "spanferry export"
# Lies in the folder while files change places. Not named as a run's marker: no run may take the folder for its own.
UNFINISHED = ".unfinished-export"
_DRAFT = ".writing-"


@dataclass(frozen=True)
class Count:
    """Documents and mentions of one language, and of one entity where the format keeps entities apart (else `*`)."""

    lang: str
    entity: str
    documents: int
    mentions: int


@dataclass(frozen=True)
class Written:
    """What went into a draft: counts by language and entity; ``notes`` counts by reason what is not as it was projected."""

    counts: list[Count]
    notes: dict[str, int]


class Draft:
    """An export in the making, in a folder of its own. ``files`` maps what is finished to its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}

    def write(self, name: str, content: str | bytes) -> None:
        """Add a file; ``name`` is relative, `/` separated."""
        data = content.encode("utf-8") if isinstance(content, str) else content
        write_file(self.folder / name, data)
        self.files[name] = hashlib.sha256(data).hexdigest()

    def write_config(self, facts: dict[str, Any]) -> None:
        """Add ``config.json``: who wrote the folder, ``facts``, and every file so far with its hash."""
        config = {"written_by": WRITTEN_BY, **facts, "files": self.files}
        write_file(self.folder / CONFIG, json.dumps(config, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@contextmanager
def export_folder(out: Path) -> Iterator[Draft]:
    """A draft that takes the place of an earlier export in ``out`` when all of it is written; other files there stay.

    Whenever it is killed, ``out`` holds the earlier export, or the new one, or ``UNFINISHED``: the next export goes on from each.

    Raises:
        SubmissionError: ``out`` holds something and is no earlier export, or cannot be written.
    """
    earlier = _earlier_files(out)
    try:
        for abandoned in out.glob(f"{_DRAFT}*"):
            shutil.rmtree(abandoned)
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=_DRAFT, dir=out) as scratch:
            yield Draft(Path(scratch))
            _publish(Path(scratch), out, earlier)
    except OSError as error:
        raise SubmissionError(f"cannot write {out}: {error.strerror}") from error


def _publish(draft: Path, out: Path, earlier: list[str]) -> None:
    """Put the files of ``draft`` in the place of the ``earlier`` ones; ``UNFINISHED`` lists both as long as not all are."""
    files = sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())
    (draft / UNFINISHED).write_bytes(json.dumps({"written_by": WRITTEN_BY, "files": [*earlier, *files]}).encode("utf-8"))
    (draft / UNFINISHED).replace(out / UNFINISHED)
    for name in earlier:
        (out / name).unlink(missing_ok=True)
    _remove_empty(out, {parent for name in earlier for parent in PurePosixPath(name).parents})
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).replace(out / name)
    (out / UNFINISHED).unlink()


def _remove_empty(out: Path, folders: set[PurePosixPath]) -> None:
    """Remove those of ``folders`` that are empty, the innermost first; ``out`` itself stays."""
    for folder in sorted(folders - {PurePosixPath(".")}, key=lambda folder: len(folder.parts), reverse=True):
        if (out / folder).is_dir() and not any((out / folder).iterdir()):
            (out / folder).rmdir()


def _earlier_files(out: Path) -> list[str]:
    """The files that an earlier export left in ``out``, finished or not, but for those outside of it. Raises ``SubmissionError``."""
    if not out.exists() or (out.is_dir() and all(path.name.startswith(_DRAFT) for path in out.iterdir())):
        return []
    unfinished, finished = _listed_by(out / UNFINISHED), _listed_by(out / CONFIG)
    if unfinished is None and finished is None:
        raise SubmissionError(f"{out} is not empty and holds no earlier export: choose another --out")
    listed = {CONFIG, ARCHIVE, *(unfinished or []), *(finished or [])}
    return sorted(name for name in listed if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts)


def _listed_by(path: Path) -> list[str] | None:
    """The files that an export listed in ``path``; None if it is not there or not ours."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    ours = isinstance(record, dict) and record.get("written_by") == WRITTEN_BY and isinstance(record.get("files"), dict | list)
    return [str(name) for name in record["files"]] if ours else None
