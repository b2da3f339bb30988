"""What lies in a folder or bucket, file by file, and the two things that are done to a file in place: removing it and renewing its time.

Modification times are those of the store: of two files of one store they tell which is older, whatever the clock of this machine says.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from s3fs import S3FileSystem

# What file systems call it: buckets, folders, memory.
MODIFIED = ("LastModified", "mtime", "created")


@dataclass(frozen=True)
class StoredFile:
    """A file of a store: its key, its size, when it was last written (Unix time by the store's clock), and its MD5 if the store says."""

    key: str
    bytes: int
    modified: float
    md5: str = ""


def list_files(filesystem: AbstractFileSystem, base: str, under: str = "") -> list[StoredFile]:
    """Every file below ``base/under`` in the order of the keys; none if there is no such folder."""
    top = f"{base}/{under}".rstrip("/")
    walk = _walk_folder(top) if isinstance(filesystem, LocalFileSystem) else _walk_bucket(filesystem, top)
    found = (StoredFile(path.removeprefix(f"{base}/"), size, modified, md5) for path, size, modified, md5 in walk)
    return sorted(found, key=lambda file: file.key)


def remove_file(filesystem: AbstractFileSystem, base: str, key: str) -> None:
    """Remove a file and the folders that it leaves empty; one that is gone is no error. The folders of the first level stay."""
    with contextlib.suppress(FileNotFoundError):
        filesystem.rm_file(f"{base}/{key}")
    if isinstance(filesystem, LocalFileSystem):
        for folder in list(Path(key).parents)[:-2]:
            try:
                os.rmdir(f"{base}/{folder}")
            except OSError:
                return


def touch_file(filesystem: AbstractFileSystem, base: str, key: str) -> None:
    """Renew a file's modification time. Raises ``FileNotFoundError``."""
    path = f"{base}/{key}"
    if isinstance(filesystem, LocalFileSystem):
        # Not written anew: while a name is replaced, a listing of its folder may lack it.
        os.utime(path)
    else:
        filesystem.pipe_file(path, filesystem.cat_file(path))


def _walk_folder(top: str) -> Iterator[tuple[str, int, float, str]]:
    """fsspec's own walk leaves a whole folder out when one of its files vanishes meanwhile."""
    for folder, _, names in os.walk(top, onerror=_raise_unless_gone):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found = os.lstat(os.path.join(folder, name))
                yield os.path.join(folder, name), found.st_size, found.st_mtime, ""


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _walk_bucket(filesystem: AbstractFileSystem, top: str) -> Iterator[tuple[str, int, float, str]]:
    parent, _, name = top.rpartition("/")
    try:
        # Of an empty place s3fs asks four times more whether it is a file; of a prefix it does not.
        is_prefix = isinstance(filesystem, S3FileSystem) and parent
        found = filesystem.find(parent, prefix=f"{name}/", detail=True) if is_prefix else filesystem.find(top, detail=True)
    except FileNotFoundError:
        return
    for path, info in found.items():
        yield path, int(info["size"]), _modified(info), _md5(info)


def _modified(info: dict[str, Any]) -> float:
    when = next(info[name] for name in MODIFIED if name in info)
    return when.timestamp() if isinstance(when, datetime) else float(when)


def _md5(info: dict[str, Any]) -> str:
    """What S3 calls an entity tag is the MD5 of an object that was written in one piece and is not encrypted with a key of its own."""
    tag = str(info.get("ETag", "")).strip('"')
    return tag if re.fullmatch("[0-9a-f]{32}", tag) else ""
