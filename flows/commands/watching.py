"""Command ``status``: where a run is, at work here or elsewhere, ended or killed."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.conventions import AsJson, errors
from flows.commands.storing import StoreRoot

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline_lib.storage.store import Store

SECONDS_BETWEEN_LOOKS = 5.0  # a run tells its store every 15


def status(
    store: StoreRoot,
    run: Annotated[
        str | None,
        typer.Argument(help="A run's id, its output folder, or the name of one at work; without it those at work and the last that ended."),
    ] = None,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every few seconds, until the run has ended or Ctrl-C.")] = False,
) -> None:
    """Show where a run is: documents, pace, time left and rejects, stage by stage.

    Looks at the store only, so the run may be at work in another process or on another machine.
    """
    if watch and as_json:
        raise typer.BadParameter("goes without --json", param_hint="--watch")
    with errors():
        from pipeline_lib.storage.store import Store

        found = Store(store)
        if as_json:
            typer.echo(json.dumps(_figures(found, run), indent=1))
        elif watch:
            _watch(found, run)
        else:
            from flows.console import OUT

            OUT.print(_shown(found, run)[0])


def _figures(store: "Store", run: str | None) -> dict[str, object]:
    from flows.sightings import run_figures, view_figures
    from pipeline_lib.progress.sight import look

    seen = look(store, time.time())
    return view_figures(seen) if run is None else run_figures(seen.find(run))


def _shown(store: "Store", run: str | None) -> tuple["RenderableType", bool]:
    """What there is to see, and whether there may be more to see later."""
    from flows.sightings import run_view, view
    from pipeline_lib.progress.sight import look

    # Only looking, and not written there: ages are by this machine's clock.
    seen = look(store, time.time())
    if run is None:
        return view(seen), True
    found = seen.find(run)
    return run_view(found), found.state == "at work"


def _watch(store: "Store", run: str | None) -> None:
    from rich.live import Live

    from flows.console import OUT

    with _until_interrupted(), Live(console=OUT, auto_refresh=False) as live:
        more = True
        while more:
            shown, more = _shown(store, run)
            live.update(shown, refresh=True)
            if more:
                time.sleep(SECONDS_BETWEEN_LOOKS)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return
