"""A place for bytes, a folder or a bucket: a key's bytes become visible whole or not at all, and whatever goes wrong there has one name."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from aiohttp import ClientError
from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError
from fsspec.implementations.local import LocalFileSystem
from s3fs import S3FileSystem
from safetensors import SafetensorError

from pipeline_lib.storage.files import StoredFile, list_files, remove_file, touch_file

_PIECE = 1 << 18  # bytes of a file that are hashed at a time


class StoreError(RuntimeError):
    """The store cannot do what it was asked for. Names the store, the artifact and the rule, never content."""


class StoreUnavailable(StoreError, OSError):
    """The place does not answer, fails or is full: another try may help."""


class Place:
    """Bytes by key below ``root``, a folder or any fsspec URL such as ``s3://bucket/prefix``.

    A bucket's endpoint and credentials come from the standard AWS variables and files. A missing key raises ``FileNotFoundError``,
    whatever else goes wrong ``StoreError`` or ``StoreUnavailable``.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._fs, path = (
            fsspec.core.url_to_fs(root, use_listings_cache=False) if "://" in root else (LocalFileSystem(), os.path.abspath(root))
        )
        self._base = path.rstrip("/")
        self._is_folder = isinstance(self._fs, LocalFileSystem)

    def read(self, key: str) -> bytes:
        # In one piece: s3fs would ask for the size first, and of a missing one whether it is a folder.
        whole = {"max_concurrency": 1} if isinstance(self._fs, S3FileSystem) else {}
        with self._trouble(key):
            content: bytes = self._fs.cat_file(self._path(key), **whole)
        return content

    @contextmanager
    def file(self, key: str) -> Iterator[Path]:
        """The bytes as a local file, for as long as the context lasts: itself in a folder, a copy of what lies in a bucket."""
        if here := self.local(key):
            if not here.is_file():
                raise FileNotFoundError(key)
            yield here
            return
        with scratch() as folder:
            copy = folder / key.rsplit("/", 1)[1]
            self.fetch(key, copy)
            yield copy

    def fetch(self, key: str, path: Path) -> None:
        """Copy the bytes into a local file."""
        with self._trouble(key):
            self._fs.get_file(self._path(key), str(path))

    def local(self, key: str) -> Path | None:
        """Where a key is on this machine; None in a bucket."""
        return Path(self._path(key)) if self._is_folder else None

    def write(self, path: Path, key: str) -> None:
        """Copy the local file to ``key``, replacing what was there."""
        try:
            with self._trouble(key):
                if self._is_folder:
                    _copy_whole(path, self._path(key))
                else:
                    self._fs.put_file(str(path), self._path(key))
        except FileNotFoundError:
            raise StoreError(f"{self.root}: there is no such bucket; create it first") from None

    def files(self, under: str = "") -> list[StoredFile]:
        """Every file below ``under``, in the order of the keys; none where nothing is."""
        with self._trouble(under or "listing"):
            return list_files(self._fs, self._base, under)

    def remove(self, key: str) -> None:
        """Remove a file; one that is gone is no error."""
        with self._trouble(key):
            remove_file(self._fs, self._base, key)

    def touch(self, key: str) -> None:
        """Renew a file's modification time."""
        with self._trouble(key):
            touch_file(self._fs, self._base, key)

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}"

    @contextmanager
    def _trouble(self, key: str) -> Iterator[None]:
        """Give the errors of disks, networks and clients one name."""
        try:
            yield
        except FileNotFoundError:
            raise
        except (NoCredentialsError, PartialCredentialsError):
            raise StoreError(f"{self.root}: no credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold them") from None
        except PermissionError as error:
            raise StoreError(f"{self.root}: access to {key} is denied ({error.strerror or error})") from None
        except (OSError, BotoCoreError, ClientError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise StoreUnavailable(f"{self.root}: {key}: {reason}") from None


@contextmanager
def scratch() -> Iterator[Path]:
    """A local folder that is gone afterwards. What the system refuses is an ``OSError``, whichever library was writing."""
    with tempfile.TemporaryDirectory(prefix="spanferry-") as folder:
        try:
            yield Path(folder)
        except SafetensorError as error:
            refused = re.search(r"\(os error (\d+)\)", str(error))
            if refused is None:
                raise
            number = int(refused[1])
            raise OSError(number, os.strerror(number), folder) from None


def sha256(path: Path) -> str:
    """Hash of a local file's bytes. Where files are small, a file object's own work is most of the time that one takes."""
    found = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while piece := os.read(descriptor, _PIECE):
            found.update(piece)
    finally:
        os.close(descriptor)
    return found.hexdigest()


def md5(path: Path) -> str:
    """The sum by which buckets tell objects apart: against damage, not against forgery."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _copy_whole(path: Path, target: str) -> None:
    """A copy beside the target, on disk before it takes the target's name."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".publishing-")
    try:
        with os.fdopen(descriptor, "wb") as copy, path.open("rb") as original:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
