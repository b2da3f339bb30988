"""Commands ``deploy`` and ``serve`` of the console script, which finds them by the entry points of pyproject.toml."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.conventions import errors

Folder = Annotated[Path, typer.Option(help="Without SITE: folder for a copy of the example site and the bundled sample corpus.")]


def deploy(site: Annotated[Path, typer.Argument(help="Site file; see deployments/site.example.toml.")]) -> None:
    """Bring the Prefect server of PREFECT_API_URL up to date with a site file."""
    with errors():
        from deployments.deploy import deploy as deploy_site
        from deployments.site import read_site

        for line in deploy_site(read_site(site)).lines():
            typer.echo(line)


def serve(
    site: Annotated[Path | None, typer.Argument(help="Site file; without one an example is written and served.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the server and its UI, on this machine only.")] = 4200,
    folder: Folder = Path("site-out"),
) -> None:
    """Try a site on this machine: a Prefect server, the site's deployments, one worker a pool, until Ctrl-C.

    The server keeps its data in SQLite beside the site file, or in the database of PREFECT_API_DATABASE_CONNECTION_URL.
    """
    with errors():
        from deployments.serve import serve_site, write_example

        serve_site(site if site is not None else write_example(folder), port)
    # Nothing is left to do, and whoever stops it waits: Python takes many seconds to take torch and its kind down again.
    sys.stdout.flush()
    os._exit(0)


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for command in (deploy, serve):
    app.command()(command)

if __name__ == "__main__":
    app()
