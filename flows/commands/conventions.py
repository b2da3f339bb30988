"""What every command shares: how a failure ends, and the options that mean the same everywhere."""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

EXIT_CODES = {
    "ConfigError": 2,
    "EncoderError": 2,
    "CorpusError": 4,
    "ModelError": 5,
    "StoreError": 5,
    "ExportError": 5,
    "FolderError": 5,
    "OutputError": 5,
    "SynthError": 5,
    "WorkerLost": 5,
    "ScoreInputError": 6,
    "ShowError": 6,
    "SubmissionError": 6,
    "ServeError": 7,
    "ServerError": 7,
    "PlanError": 8,
}
REJECTED = 3
DISK_TROUBLES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES}

Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars and tables.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Settings = Annotated[list[str], typer.Option("--set", help="A setting, such as sharpen.reg=0.05; may be repeated.")]

Labels = Annotated[list[str], typer.Option("--label", help="Only this label; may be repeated.")]
ScoredList = Annotated[
    Path | None,
    typer.Option(
        "--scored",
        help="Only documents in this list count: one id a line, or a TSV with a column document, filename, doc or id (and scored: 1 or 0).",
    ),
]
Replicates = Annotated[int, typer.Option(min=1, help="Bootstrap replicates.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")]


class ServerError(RuntimeError):
    """Prefect's server is gone."""


class OutputError(ValueError):
    """A file that the user asked for cannot be written."""


@contextmanager
def errors() -> Iterator[None]:
    """An expected failure ends as one line and its exit code."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        code = next((EXIT_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in EXIT_CODES), None)
        if code is None:
            raise
        _end(str(error), code)
    except OSError as error:
        # Of a disk, ours or the user's, and no mistake of the program: the store gives its own troubles a name of their own.
        if error.errno not in DISK_TROUBLES:
            raise
        place = error.filename or f"temporary files ({tempfile.gettempdir()}) or output"
        _end(f"{place}: {os.strerror(error.errno)}", EXIT_CODES["OutputError"])


def _end(reason: str, code: int) -> NoReturn:
    sys.stderr.write(f"spanferry: {reason}\n")
    raise typer.Exit(code) from None


def save(path: Path, content: str | bytes) -> None:
    """Write a file that the user asked for, whole or not at all. Raises ``OutputError``."""
    from pipeline_lib.storage.write import write_file

    if path.is_dir():
        raise OutputError(f"{path}: cannot be written, it is a folder")
    try:
        write_file(path, content)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written, {error.strerror}") from error
