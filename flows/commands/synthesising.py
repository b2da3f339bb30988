"""Command ``synth``: a corpus of any size, to try things on."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.conventions import AsJson, Quiet, errors

if TYPE_CHECKING:
    from pipeline_lib.corpus.synth_folder import Order, Tally


def synth(
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")],
    out: Annotated[Path, typer.Option(help="Folder to write, in the plain layout: new or empty.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed writes other documents under the same ids.")] = 1,
    first: Annotated[int, typer.Option(min=1, metavar="N", help="Begin with document N: more of a collection that has N - 1.")] = 1,
    languages: Annotated[str | None, typer.Option(help="Translations to write, separated by commas; without it all six.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write background documents in Spanish and its translations, recombined from the bundled corpus, with gold in every language.

    Document N of a seed is the same however many there are. Lengths are log-normal: median 2,150 characters, at most 17,000.
    """
    with errors():
        from flows.bars import progress_bars
        from flows.watch import LISTENER, Progress
        from pipeline_lib.corpus.synth_folder import MOST_PROCESSES, Order, write_collection
        from pipeline_lib.progress.stage_time import Meter

        order = Order(seed, range(first, first + documents), _targets(languages))

        meter = Meter("synth", len(order.batches()), total=documents)

        def tell(done: int, batches: int, written: int) -> None:
            meter.add(done, written, reused=False)
            if listener := LISTENER.get():
                listener(Progress("synth", done, batches, written, False, meter.now()))

        started = time.perf_counter()
        with progress_bars(quiet or as_json):
            tally = write_collection(out, order, min(MOST_PROCESSES, os.cpu_count() or 1), tell)
        seconds = time.perf_counter() - started
        if as_json:
            typer.echo(json.dumps(_figures(order, tally, seconds), indent=1))
        elif not quiet:
            _print(out, order, tally, seconds)


def _targets(languages: str | None) -> tuple[str, ...]:
    """The targets by the sample's codes, in its order."""
    from pipeline_lib.corpus.layouts import SPELLINGS
    from pipeline_lib.corpus.synth import TARGETS

    if languages is None:
        return TARGETS
    named = {lang.strip().casefold() for lang in languages.split(",") if lang.strip()}
    named = {lang if lang in TARGETS else SPELLINGS.get(lang, lang) for lang in named}
    if not named or not named <= set(TARGETS):
        raise typer.BadParameter(f"takes some of {', '.join(TARGETS)}; es is always written", param_hint="--languages")
    return tuple(lang for lang in TARGETS if lang in named)


def _figures(order: "Order", tally: "Tally", seconds: float) -> dict[str, object]:
    """What ``--json`` prints."""
    from statistics import median

    return {
        "documents": len(order.numbers),
        "first": order.numbers[0],
        "seed": order.seed,
        "languages": order.langs,
        "files": 2 * len(order.langs) * len(order.numbers),
        "bytes": tally.size,
        "mentions": dict(tally.mentions),
        "characters": {"shortest": tally.lengths[0], "median": median(tally.lengths), "longest": tally.lengths[-1]},
        "seconds": round(seconds, 1),
    }


def _print(out: Path, order: "Order", tally: "Tally", seconds: float) -> None:
    from statistics import median

    from flows.console import OUT, count_table

    rows: list[tuple[object, ...]] = [(lang, len(order.numbers), tally.mentions[lang]) for lang in order.langs]
    OUT.print(count_table("written", ("language", "documents", "mentions"), rows))
    lengths = f"{tally.lengths[0]} to {tally.lengths[-1]}, median {median(tally.lengths):.0f}"
    OUT.print(f"characters of a document in {order.langs[0]}: {lengths}", highlight=False)
    files = 2 * len(order.langs) * len(order.numbers)
    OUT.print(f"wrote {out}: {files} files, {tally.size / 1e6:.0f} MB, {seconds:.0f} s", highlight=False, soft_wrap=True)
