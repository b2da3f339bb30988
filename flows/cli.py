"""The console script ``spanferry``. Commands import what they need when they run: ``score`` shall not wait for Prefect and torch."""

import os
import sys
from importlib.metadata import entry_points
from typing import NoReturn

import typer

from flows.commands.aligning import evaluate_alignment
from flows.commands.checking import check
from flows.commands.comparing import compare
from flows.commands.conventions import EXIT_CODES
from flows.commands.planning import plan
from flows.commands.publishing import publish
from flows.commands.running import demo, project, run
from flows.commands.scoring import score
from flows.commands.showing import show
from flows.commands.storing import gc, store
from flows.commands.submitting import export, validate
from flows.commands.synthesising import synth
from flows.commands.watching import status

app = typer.Typer(
    help="Carry clinical entity annotations from one language into the translations of its documents.",
    epilog="Exit codes: 0 done, 2 usage or configuration, 3 something was rejected (check, validate), 4 corpus, "
    "5 store, model or output, 6 input of score, compare, evaluate-alignment, show, export or validate, 7 Prefect's server, "
    "8 a plan that takes longer than --most-hours, 1 anything else.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

RUNNING = (demo, plan, run, project, status)
READING = (check, score, compare, evaluate_alignment, show)
WRITING = (export, validate, publish, synth)
KEEPING = (store, gc)

for command in (*RUNNING, *READING, *WRITING, *KEEPING):
    app.command()(command)
for point in sorted(entry_points(group="spanferry.commands")):  # of the roof, which nothing here may import
    app.command(point.name)(point.load())


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == EXIT_CODES["ServerError"] and os.environ.get("PREFECT_API_URL"):
            leave(ended.code)
        raise


def leave(code: int) -> NoReturn:
    """End now: Python would wait until Prefect has told each of the run's events to a server that is not there."""
    from pipeline_lib.storage.store import COPIES

    COPIES.clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
