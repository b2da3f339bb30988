"""A folder that is written whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderError(ValueError):
    """The folder is not empty, or cannot be written."""


def require_empty(out: Path) -> None:
    """Raises ``FolderError`` unless ``out`` is a new or an empty folder."""
    if out.exists() and not out.is_dir():
        raise FolderError(f"{out} is a file: choose another --out")
    if out.is_dir() and any(out.iterdir()):
        raise FolderError(f"{out} is not empty: choose another --out")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A draft beside ``out``, new or empty, that takes its place at the end; what a kill has left beside it the next draft replaces.

    Raises:
        FolderError: ``out`` is not empty, or cannot be written.
    """
    require_empty(out)
    place = out.resolve()
    draft = place.with_name(f".writing-{place.name}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        try:
            yield draft
            draft.replace(place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise FolderError(f"cannot write {out}: {error.strerror}") from error
