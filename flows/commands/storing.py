"""Commands ``store`` and ``gc``: what a store holds, and removing what no run needs."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.conventions import AsJson, errors

if TYPE_CHECKING:
    from pipeline_lib.storage.catalog import Catalog
    from pipeline_lib.storage.collect import Plan
    from pipeline_lib.storage.store import Store

WIDER_THAN_ANY_LINE = 1000
StoreRoot = Annotated[str, typer.Option("--store", help="Folder or fsspec URL of the artifacts.")]


def gc(
    store: StoreRoot,
    keep_last: Annotated[int, typer.Option(min=0, metavar="N", help="Keep all that the N runs use that were run last.")],
    keep: Annotated[list[str], typer.Option(metavar="RUN", help="Keep this run too, by its id; may be repeated.")] = [],  # noqa: B006
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, only say what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove every artifact that no kept run uses. A kept run keeps the run whose model it uses; runs that fitted the model of a collection
    are always kept.

    Refuses while a run is at work in the store; a run that starts meanwhile waits.
    """
    if keep_last == 0 and not keep:
        raise typer.BadParameter("keep at least one run", param_hint="--keep-last")
    with errors():
        from pipeline_lib.storage.collect import collect
        from pipeline_lib.storage.store import Store

        found = Store(store)
        plan = _plan(found, keep_last, keep) if dry_run else collect(found, keep_last, keep)
        _print_plan(plan, dry_run, as_json)


def store(
    store: StoreRoot,
    of: Annotated[
        str | None, typer.Option(metavar="RUN|KEY|FINGERPRINT", help="Show this run's artifacts, or what this artifact was made from.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of a store, what they use and what it takes up; with --of show where an artifact comes from."""
    with errors():
        from pipeline_lib.storage.catalog import read_catalog
        from pipeline_lib.storage.store import Store

        found = Store(store)
        # Only looking, and not written there: ages are by this machine's clock.
        catalog = read_catalog(found, time.time())
        if of is None:
            _print_store(found, catalog, as_json)
        elif any(run.id == of for run in catalog.runs):
            _print_run(catalog, of, as_json)
        else:
            _print_origins(found, catalog, of, as_json)


def _plan(store: "Store", keep_last: int, keep: list[str]) -> "Plan":
    from pipeline_lib.storage.catalog import read_catalog
    from pipeline_lib.storage.collect import plan_collection, require_runs

    require_runs(store)
    return plan_collection(read_catalog(store, time.time()), keep_last, keep)


def _print_plan(plan: "Plan", dry_run: bool, as_json: bool) -> None:
    from flows.inventory import collection_figures, collection_sentences, collection_table

    if as_json:
        typer.echo(json.dumps(collection_figures(plan, dry_run), indent=1))
        return
    _print(collection_table(plan))
    for sentence in collection_sentences(plan, dry_run):
        _print(sentence)


def _print_store(store: "Store", catalog: "Catalog", as_json: bool) -> None:
    from flows.inventory import contract_table, run_table, store_figures
    from pipeline_lib.storage.leases import PACE, dead_leases, holders

    live = holders(store, catalog.leases, catalog.clock)
    leftovers = len(catalog.leftovers(PACE.dead)) + len(dead_leases(catalog.leases, catalog.clock))
    figures = store_figures(catalog, live, leftovers)
    if as_json:
        typer.echo(json.dumps(figures, indent=1))
        return
    _print(run_table(catalog))
    _print(contract_table(figures["contracts"]))
    for holder in live:
        _print(f"at work: {holder.kind} {holder}")
    _print(f"leftover files of what was broken off: {leftovers}")


def _print_run(catalog: "Catalog", run: str, as_json: bool) -> None:
    from flows.inventory import run_tree

    found = catalog.run(run)
    if as_json:
        typer.echo(json.dumps({**found.record, "used": [artifact.key for artifact in catalog.of(found)]}, indent=1))
    else:
        _print(run_tree(catalog, found), WIDER_THAN_ANY_LINE)


def _print_origins(store: "Store", catalog: "Catalog", of: str, as_json: bool) -> None:
    from dataclasses import asdict

    from flows.origins import origin_tree
    from pipeline_lib.storage.lineage import Lineage

    fingerprint, lineage = catalog.fingerprint(of), Lineage(store, catalog.artifacts)
    origins = lineage.trace([fingerprint])
    if as_json:
        made_of = {each: {"artifacts": lineage.addresses(each), **asdict(origin)} for each, origin in origins.items()}
        typer.echo(json.dumps({"of": fingerprint, "made_of": made_of}, indent=1))
    else:
        _print(origin_tree(fingerprint, origins, catalog, lineage), WIDER_THAN_ANY_LINE)


def _print(what: object, width: int | None = None) -> None:
    """Lines are never cut; a terminal folds them, a file keeps them whole."""
    from rich.console import Console

    plain = isinstance(what, str)
    Console(width=width).print(what, highlight=False, markup=not plain, soft_wrap=plain)
