"""Command ``score``: figures of predictions against gold."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.commands.conventions import AsJson, errors


def score(
    gold: Annotated[Path, typer.Option(help="TSV in the official columns, or a folder of .ann.")],
    pred: Annotated[Path, typer.Option(help="TSV in the official columns, or a folder of .ann.")],
    label: Annotated[list[str], typer.Option(help="Only this label; may be repeated.")] = [],  # noqa: B006
    profile: Annotated[Literal["multiclin", "multicardioner"], typer.Option(help="The scoring script to follow.")] = "multiclin",
    as_json: AsJson = False,
) -> None:
    """Score predictions against gold: strict and character-weighted precision, recall and F1."""
    with errors():
        from dataclasses import asdict

        from flows.console import OUT, plain_score_table
        from pipeline_lib.evaluation.annotations import read_annotations
        from pipeline_lib.evaluation.scorer import score as score_rows

        rows = score_rows(read_annotations(gold), read_annotations(pred), label or None, profile)
        if as_json:
            typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
        else:
            OUT.print(plain_score_table(rows))
