"""Command ``check``: what a corpus holds, before anything is run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.conventions import REJECTED, AsJson, errors


def check(
    corpus: Annotated[Path, typer.Argument(help="Folder in the plain layout.")],
    as_json: AsJson = False,
) -> None:
    """Read every text and annotation, change nothing, and print counts and rejects by reason."""
    with errors():
        from flows.console import OUT, count_table
        from pipeline_lib.corpus.census import take_census

        census = take_census(corpus)
        if as_json:
            typer.echo(json.dumps(census.as_json(), indent=1))
        else:
            OUT.print(count_table("read", ("language", "documents", "mentions"), census.read_rows()))
            OUT.print(count_table("rejected", ("code", "rule", "count"), census.reject_rows()) if census.rejects else "nothing rejected")
        if census.rejects:
            raise typer.Exit(REJECTED)
