"""Command ``show``: the one that prints text."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.conventions import errors


def show(
    document: Annotated[str, typer.Argument(help="Document id.")],
    target: Annotated[str, typer.Option(help="Target language.")],
    out: Annotated[Path, typer.Option(help="Output folder of a run.")],
) -> None:
    """Show a document side by side with its translation, mentions highlighted. The one command that prints text."""
    with errors():
        from flows.console import OUT
        from flows.show import side_by_side

        OUT.print(side_by_side(document, target, out, OUT.width))
