"""Command ``publish``: a run's student as a model folder with its card."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.conventions import AsJson, Quiet, errors

if TYPE_CHECKING:
    from flows.publish import Published


def publish(
    run: Annotated[str, typer.Argument(help="A run's id in the store, or its output folder.")],
    store: Annotated[str, typer.Option(help="Folder or fsspec URL of the artifacts.")],
    out: Annotated[Path, typer.Option(help="Folder to write: new or empty.")],
    target: Annotated[
        str | None, typer.Option(help="The student into this language, where declared gold has made those of a run differ.")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the transformer student of a run as a Hugging Face model folder, with a model card; the same run gives the same bytes.

    Plain transformers read it. The card holds ids, counts, scores and fingerprints, and no text of the corpus.
    """
    with errors():
        from flows.publish import publish as write
        from pipeline_lib.storage.store import Store

        published = write(Store(store), run, out, target)
        if as_json:
            typer.echo(json.dumps(_figures(published, out), indent=1))
        elif not quiet:
            _print(published, out)


def _figures(published: "Published", out: Path) -> dict[str, object]:
    return {"run": published.run, "model": published.model, "student": published.student, "out": str(out), "files": published.files}


def _print(published: "Published", out: Path) -> None:
    from rich.filesize import decimal

    from flows.console import OUT

    OUT.print(f"student {published.student} of run {published.model}", highlight=False, soft_wrap=True)
    OUT.print(
        f"wrote {out}: {len(published.files)} files, {decimal(published.bytes)}; its card: README.md", highlight=False, soft_wrap=True
    )
