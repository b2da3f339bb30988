"""Command ``check``: what a corpus holds, before anything is run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.conventions import REJECTED, AsJson, Settings, errors, save


def check(
    corpus: Annotated[Path, typer.Argument(help="Folder of texts and annotations, in any layout.")],
    csv: Annotated[Path | None, typer.Option(help="File for the findings; {corpus}-check.csv in this folder by default.")] = None,
    settings: Settings = [],  # noqa: B006  (typer reads the default, nobody changes it)
    as_json: AsJson = False,
) -> None:
    """Read every text and annotation, change nothing, print what was found by reason code, and write where it was found.

    Exits with 3 if something is rejected, with 0 otherwise.
    """
    with errors():
        from flows.console import OUT, count_table
        from flows.settings import corpus_config
        from pipeline_lib.corpus.census import take_census

        census = take_census(corpus, corpus_config(settings))
        sheet = csv or Path(f"{corpus.resolve().name}-check.csv")
        save(sheet, census.csv())
        if as_json:
            typer.echo(json.dumps(census.as_json(), indent=1))
        else:
            OUT.print(count_table("read", ("language", "documents", "mentions"), census.read_rows()))
            if found := census.finding_rows():
                OUT.print(count_table("found", ("severity", "code", "rule", "files", "count"), found))
            OUT.print(f"{len(census.rejects) or 'nothing'} rejected; where, without text: {sheet}", highlight=False, soft_wrap=True)
        if census.rejects:
            raise typer.Exit(REJECTED)
