"""ZIP files: written with the same bytes for the same files, and looked at with suspicion."""

import lzma
import shutil
import stat
import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from pipeline_lib.corpus.files import printable
from pipeline_lib.submission.findings import Finding

DAMAGED = (BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What zipfile raises for a ZIP that is damaged, encrypted or packed as nobody knows; ``OSError`` and ``ValueError`` mean bad places."""

MOST_MEMBERS = 10_000
MOST_BYTES_A_MEMBER = 256 * 2**20
MOST_BYTES = 2 * 2**30


def write_zip(path: Path, folder: Path, names: Sequence[str]) -> None:
    """Put the files ``names`` of ``folder`` into a ZIP, sorted and without times."""
    with ZipFile(path, "w") as archive:
        for name in sorted(names):
            info = ZipInfo(name)  # from 1980, the first year that ZIP knows
            info.compress_type, info.external_attr = ZIP_DEFLATED, (stat.S_IFREG | 0o644) << 16
            info.create_system = 3  # Unix, or the bytes would tell where they were written
            info.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target)


def readable_members(archive: ZipFile) -> tuple[list[ZipInfo], list[Finding]]:
    """The files that may be read, and what is wrong with the others. The sizes are the declared ones: zipfile reads no more."""
    files = [info for info in archive.infolist() if not info.filename.endswith("/")]  # is_dir() cannot do with an empty name
    total = sum(info.file_size for info in files)
    if len(files) > MOST_MEMBERS or total > MOST_BYTES:
        return [], [Finding(".", "too_large")]
    kept: dict[str, ZipInfo] = {}
    findings = []
    for info in files:
        code = "duplicate_file" if info.filename in kept else _trouble(info)
        if code is None:
            kept[info.filename] = info
        else:
            findings.append(Finding(printable(info.orig_filename), code))
    return sorted(kept.values(), key=lambda info: info.filename), findings


def _trouble(info: ZipInfo) -> str | None:
    if is_unsafe(info.orig_filename) or stat.S_ISLNK(info.external_attr >> 16):
        return "unsafe_name"
    return "too_large" if info.file_size > MOST_BYTES_A_MEMBER else None


def is_unsafe(name: str) -> bool:
    """Whether a member of this name could be unpacked to somewhere else, or under another name than it shows."""
    return "\\" in name or ":" in name or not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/"))
