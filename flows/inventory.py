"""What a store holds, for the terminal and as JSON: runs, totals by contract, and what is collected."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from pipeline_lib.storage.catalog import Artifact, Catalog, Run, address_of
from pipeline_lib.storage.collect import Plan
from pipeline_lib.storage.leases import Holder

MOST_LISTED = 3

Totals = dict[str, dict[str, int]]


def by_contract(artifacts: Iterable[Artifact]) -> Totals:
    """Artifacts and bytes, contract by contract."""
    totals: Totals = {}
    for artifact in sorted(artifacts, key=lambda artifact: artifact.contract):
        of_contract = totals.setdefault(artifact.contract, {"artifacts": 0, "bytes": 0})
        of_contract["artifacts"] += 1
        of_contract["bytes"] += artifact.bytes
    return totals


def collection_figures(plan: Plan, dry_run: bool) -> dict[str, Any]:
    """What was, or would be, removed and kept."""
    return {
        "dry_run": dry_run,
        "removed": {
            "runs": [run.id for run in plan.runs],
            "contracts": by_contract(plan.artifacts),
            "unfinished": plan.unfinished,
            "leftovers": len(plan.leftovers),
            "bytes": plan.bytes,
        },
        "kept": {"runs": [run.id for run in plan.kept], "contracts": by_contract(plan.stay)},
    }


def collection_table(plan: Plan) -> Table:
    """Artifacts and bytes that go and that stay, a row a contract and the sum."""
    gone, kept = by_contract(plan.artifacts), by_contract(plan.stay)
    table = _table(("contract",), ("removed", "bytes", "kept", "bytes"))
    for contract in sorted(gone.keys() | kept.keys()):
        table.add_row(contract, *_cells(gone.get(contract)), *_cells(kept.get(contract)))
    table.add_row("all", *_cells(_sum(gone)), *_cells(_sum(kept)), style="bold")
    return table


def collection_sentences(plan: Plan, dry_run: bool) -> list[str]:
    """What the table does not tell."""
    runs = f"{len(plan.runs)} of {len(plan.runs) + len(plan.kept)} runs"
    gone = f"{runs}, artifacts: {len(plan.artifacts)}, leftover files: {len(plan.leftovers)}, together {decimal(plan.bytes)}"
    said = [f"dry run, nothing was removed; it would be {gone}" if dry_run else f"removed: {gone}"]
    if plan.unfinished:
        said.append(f"of no run that finished: {plan.unfinished} artifacts")
    return [*said, f"kept: {', '.join(run.id for run in plan.kept)}"]


def store_figures(catalog: Catalog, live: list[Holder], leftovers: int) -> dict[str, Any]:
    """The whole store."""
    return {
        "store": catalog.root,
        "runs": [_run_figures(catalog, run) for run in catalog.runs],
        "contracts": by_contract(artifact for artifact in catalog.artifacts.values() if artifact.exists),
        "leases": [vars(holder) for holder in live],
        "leftovers": leftovers,
    }


def run_table(catalog: Catalog) -> Table:
    """A row a run, the one that was run last first; fits 80 columns."""
    table = _table(("run", "from -> into", "last run"), ("artifacts", "bytes", "own bytes"))
    for run in catalog.runs:
        figures = _run_figures(catalog, run)
        when, sizes = figures["last_run"][:16].replace("T", " "), (decimal(figures["bytes"]), decimal(figures["own_bytes"]))
        model = "" if run.model == run.id else f"\nmodel: {run.model}"
        table.add_row(run.id, escape(_langs(run.record) + model), when, str(figures["artifacts"]), *sizes)
    return table


def contract_table(totals: Totals) -> Table:
    """Artifacts and bytes, a row a contract and the sum."""
    table = _table(("contract",), ("artifacts", "bytes"))
    for contract, of_contract in totals.items():
        table.add_row(contract, *_cells(of_contract))
    table.add_row("all", *_cells(_sum(totals)), style="bold")
    return table


def run_tree(catalog: Catalog, run: Run) -> Tree:
    """What a run made and which model it used."""
    record = run.record
    tree = Tree(f"[bold]{run.id}[/] {escape(_langs(record))}")
    tree.add(f"model of {run.model}" if run.model != run.id else "its own model")
    for lang, parts in record["models"].items():
        branch = tree.add(f"model into {escape(lang)}")
        for name, ref in parts.items():
            _add_key(branch, catalog, f"{ref['contract']}/{ref['shard']}/{ref['fingerprint']}", f"{name} ")
    _add_by_contract(tree.add("results"), catalog, map(address_of, record["artifacts"]))
    used = tree.add("all that it used")
    for contract, totals in by_contract(catalog.of(run)).items():
        used.add(f"{escape(contract)}: {totals['artifacts']} [cyan]{decimal(totals['bytes'])}[/]")
    return tree


def _run_figures(catalog: Catalog, run: Run) -> dict[str, Any]:
    used = catalog.of(run)
    return {
        "run": run.id,
        "model": run.model,
        "source": run.record.get("source", "?"),
        "targets": list(run.record.get("targets", ())),
        "last_run": datetime.fromtimestamp(run.file.modified).astimezone().isoformat(timespec="seconds"),
        "artifacts": len(used),
        "bytes": sum(artifact.bytes for artifact in used),
        "own_bytes": catalog.own_bytes(run),
    }


def _add_by_contract(branch: Tree, catalog: Catalog, addresses: Iterable[str]) -> None:
    """A branch a contract, with the first artifacts of it."""
    for contract, group in groupby(sorted(addresses), key=lambda address: address.split("/", 1)[0]):
        of_contract = list(group)
        size = sum(catalog.artifacts[address].bytes for address in of_contract if address in catalog.artifacts)
        of = branch.add(f"{escape(contract)}: {len(of_contract)} [cyan]{decimal(size)}[/]")
        for address in of_contract[:MOST_LISTED]:
            _add_key(of, catalog, address)
        if len(of_contract) > MOST_LISTED:
            of.add(f"[dim]{len(of_contract) - MOST_LISTED} more; --json lists all[/]")


def _add_key(branch: Tree, catalog: Catalog, address: str, name: str = "") -> None:
    branch.add(f"{escape(name)}{_label(catalog, address)}")


def _label(catalog: Catalog, address: str) -> str:
    artifact = catalog.artifacts.get(address)
    if artifact is None or not artifact.exists:
        return f"{escape(address)} [red](missing)[/]"
    return f"{escape(artifact.key)} [cyan]{decimal(artifact.bytes)}[/]"


def _langs(record: Mapping[str, Any]) -> str:
    return f"{record.get('source', '?')} -> {' '.join(record.get('targets', ()))}"


def _cells(totals: Mapping[str, int] | None) -> tuple[str, str]:
    return (str(totals["artifacts"]), decimal(totals["bytes"])) if totals else ("", "")


def _sum(totals: Totals) -> dict[str, int]:
    return {name: sum(of_contract[name] for of_contract in totals.values()) for name in ("artifacts", "bytes")}


def _table(words: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in words:
        table.add_column(name, overflow="fold", no_wrap=name != "from -> into")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
