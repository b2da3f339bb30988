from rich.filesize import decimal

from flows.inventory import by_contract, collection_figures, collection_table, run_table, run_tree
from pipeline_lib.storage.catalog import Artifact, Catalog, Run
from pipeline_lib.storage.collect import plan_collection
from pipeline_lib.storage.files import StoredFile
from tests.flows.terminal_text import text_of


def artifact(contract: str, number: int, size: int = 1000) -> Artifact:
    address = f"{contract}/es/{number:024x}"
    return Artifact(address, (StoredFile(f"{address}.parquet", size, 0),), StoredFile(f"{address}.json", 10, 0))


def run(name: str, *artifacts: Artifact, targets: tuple[str, ...] = ("en",)) -> Run:
    record = {"run": name, "model": name, "source": "es", "targets": targets, "models": {}, "artifacts": [each.key for each in artifacts]}
    return Run(name, record, frozenset(each.address for each in artifacts), StoredFile(f"runs/{name}.json", 5, 0))


def catalog(*runs: Run, artifacts: list[Artifact]) -> Catalog:
    return Catalog("store", 0, runs, {each.address: each for each in artifacts})


UNITS = [artifact("units", number) for number in range(5)]
SCORES = artifact("scores", 9, size=2_000_000)


def test_totals_are_by_contract() -> None:
    assert by_contract([*UNITS, SCORES]) == {"scores": {"artifacts": 1, "bytes": 2_000_010}, "units": {"artifacts": 5, "bytes": 5050}}


def test_the_table_of_a_collection_adds_up() -> None:
    found = catalog(run("run-1", *UNITS[:2]), artifacts=[*UNITS, SCORES])
    plan = plan_collection(found, 1)
    lines = [line.split() for line in text_of(collection_table(plan)).splitlines()]
    assert ["units", "3", "3.0", "kB", "2", "2.0", "kB"] in lines and ["scores", "1", "2.0", "MB"] in lines
    assert ["all", "4", "2.0", "MB", "2", "2.0", "kB"] in lines
    removed = collection_figures(plan, dry_run=False)["removed"]
    assert removed["bytes"] == sum(totals["bytes"] for totals in removed["contracts"].values())


def test_the_table_of_runs_fits_80_columns_however_many_languages_there_are() -> None:
    many = run("run-0123456789ab", *UNITS, targets=("en", "it", "nl", "sv", "ro", "cz"))
    shown = text_of(run_table(catalog(many, artifacts=UNITS)), width=80)
    assert all(len(line) <= 80 for line in shown.splitlines()) and "…" not in shown
    assert "run-0123456789ab" in shown and shown.count(decimal(5050)) == 2


def test_of_many_results_alike_the_first_few_are_listed() -> None:
    found = catalog(run("run-1", *UNITS), artifacts=UNITS)
    shown = text_of(run_tree(found, found.run("run-1")))
    assert "units: 5" in shown and shown.count("units/es/") == 3 and "2 more; --json lists all" in shown
