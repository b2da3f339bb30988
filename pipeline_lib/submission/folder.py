"""The folder that an export writes: complete or not at all, and never into somebody's own files."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pipeline_lib.projection.export import write_file
from pipeline_lib.submission.finished import SubmissionError

CONFIG = "config.json"
ARCHIVE = "submission.zip"
WRITTEN_BY = "spanferry export"
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
    for name in earlier:
        (out / name).unlink(missing_ok=True)
    _remove_empty(out, {parent for name in earlier for parent in PurePosixPath(name).parents})
    # config.json goes first: it lists the others, so an export that was cut off here is known for ours.
    files = sorted((path for path in draft.rglob("*") if path.is_file()), key=lambda path: (path.name != CONFIG, path))
    for path in files:
        target = out / path.relative_to(draft)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _remove_empty(out: Path, folders: set[PurePosixPath]) -> None:
    """Remove those of ``folders`` that are empty, the innermost first; ``out`` itself stays."""
    for folder in sorted(folders - {PurePosixPath(".")}, key=lambda folder: len(folder.parts), reverse=True):
        if (out / folder).is_dir() and not any((out / folder).iterdir()):
            (out / folder).rmdir()


def _earlier_files(out: Path) -> list[str]:
    """The files that an earlier export left in ``out``, but for those outside of it. Raises ``SubmissionError``."""
    if not out.exists() or (out.is_dir() and all(path.name.startswith(_DRAFT) for path in out.iterdir())):
        return []
    try:
        config = json.loads((out / CONFIG).read_bytes())
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict) or config.get("written_by") != WRITTEN_BY or not isinstance(config.get("files"), dict):
        raise SubmissionError(f"{out} is not empty and holds no earlier export: choose another --out")
    listed = [CONFIG, ARCHIVE, *config["files"]]
    return [name for name in listed if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts]
