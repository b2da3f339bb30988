"""What every command shares: how a failure ends, and the options that mean the same everywhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

EXIT_CODES = {
    "ConfigError": 2,
    "CorpusError": 4,
    "ModelError": 5,
    "StoreError": 5,
    "ExportError": 5,
    "ScoreInputError": 6,
    "ShowError": 6,
    "SubmissionError": 6,
}
REJECTED = 3

Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars and tables.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Settings = Annotated[list[str], typer.Option("--set", help="A setting, such as sharpen.reg=0.05; may be repeated.")]


@contextmanager
def errors() -> Iterator[None]:
    """An expected failure ends as one line and its exit code."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        code = EXIT_CODES.get(type(error).__name__)
        if code is None:
            raise
        sys.stderr.write(f"spanferry: {error}\n")
        raise typer.Exit(code) from None
