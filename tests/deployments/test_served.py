"""A served site at work: server, a worker a pool, a bucket; its runs go through both pools, and no text goes astray."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest

from drill.processes import Program, free_ports, wait_for
from tests.canary import CANARY, canary_corpus, files_with_canary
from tests.conftest import new_bucket
from tests.flows.tiny import QUICK

SITE = """
credentials = "blocks"
[store]
root = "{store}"
endpoint = "{endpoint}"
[collections.sample]
corpus = "corpus"
targets = ["en"]
out = "results"
refit = "never"
settings = {settings}
"""
ENVIRONMENT = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_WORKER_QUERY_SECONDS": "2"}
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
TOLD = {"spanferry.quality.dropped", "spanferry.rejects.rose", "spanferry.artifact.repaired"}
PAUSE = "spanferry: pause a collection whose quality dropped"


@dataclass(frozen=True)
class Served:
    """The site's folder, its bucket, and the API of its server."""

    folder: Path
    store: str
    api: str

    def get(self, path: str) -> Any:
        return self.ask("GET", path).json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.ask("POST", path, body).json()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Ask again, as Prefect's own clients do, while a busy server's database is locked: it answers 503."""
        for _ in range(30):
            answer = httpx.request(method, f"{self.api}/{path}", json=body, timeout=60)
            if answer.status_code != 503:
                break
            time.sleep(1)
        return answer.raise_for_status()

    def run(self) -> str:
        """Order a run of the collection and wait for its end; the type of its last state."""
        ordered = self.post(f"deployments/{self.deployment()['id']}/create_flow_run", {"state": {"type": "SCHEDULED"}})["id"]
        wait_for(lambda: self.get(f"flow_runs/{ordered}")["state_type"] in ENDED, "the run", 300, every=1)
        return str(self.get(f"flow_runs/{ordered}")["state_type"])

    def deployment(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("deployments/name/spanferry/sample")
        return found

    def workers(self) -> int:
        """How many the server has heard of; 0 while it starts."""
        try:
            return sum(len(self.post(f"work_pools/{pool}/workers/filter", {})) for pool in ("cpu", "gpu"))
        except httpx.HTTPError:
            return 0

    def events(self) -> dict[str, Any]:
        """Ours, by name."""
        found = self.post("events/filter", {"filter": {"event": {"prefix": ["spanferry."]}}, "limit": 50})["events"]
        return {event["event"]: event for event in found}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, object_storage: str) -> Iterator[Served]:
    folder, store, port = tmp_path_factory.mktemp("served"), new_bucket(), free_ports(1)[0]
    canary_corpus(folder / "corpus")
    site = folder / "site.toml"
    site.write_text(SITE.format(store=store, endpoint=object_storage, settings=QUICK), encoding="utf-8")
    command = [sys.executable, "-m", "deployments.commands", "serve", site, "--port", str(port)]
    found = Served(folder, store, f"http://127.0.0.1:{port}/api")
    with Program(command, folder / ".spanferry" / "logs" / "serve.log", ENVIRONMENT) as program:
        wait_for(lambda: not program.running or found.workers() == 2, "the workers", 240, every=1)
        yield found


def test_a_run_goes_through_both_pools(served: Served) -> None:
    assert served.run() == "COMPLETED"
    runs = served.post("flow_runs/filter", {})
    pools = {(run["work_pool_name"], run["state_type"]) for run in runs}
    assert pools == {("cpu", "COMPLETED"), ("gpu", "COMPLETED")}
    assert "corpus es-en embedded" in {run["name"] for run in runs}


def test_a_worse_run_is_told_and_pauses_its_collection_where_that_is_wanted(served: Served) -> None:
    pause = next(found for found in served.post("automations/filter", {}) if found["name"] == PAUSE)
    served.ask("PATCH", f"automations/{pause['id']}", {"enabled": True})
    _worsen(served.folder / "corpus")
    _damage_one(served.store, "units")
    assert served.run() == "COMPLETED"
    wait_for(lambda: served.events().keys() >= TOLD, "our events", 60, every=1)
    wait_for(lambda: served.deployment()["paused"], "the pause", 60, every=1)
    dropped = served.events()["spanferry.quality.dropped"]
    assert dropped["payload"]["changes"]["en"]["now"] < dropped["payload"]["changes"]["en"]["last"]


def _worsen(corpus: Path) -> None:
    """Gold that no longer fits, and source annotations that cannot be read."""
    for gold in (corpus / "en").glob("case-*.ann"):
        gold.write_text(gold.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    broken = corpus / "es" / "bad-lines.ann"
    broken.write_text(broken.read_text(encoding="utf-8") + f"T9 {CANARY}\n" * 40, encoding="utf-8")


def _damage_one(store: str, contract: str) -> None:
    filesystem, path = fsspec.url_to_fs(store, use_listings_cache=False)
    table = next(name for name in sorted(filesystem.find(f"{path}/{contract}")) if name.endswith(".parquet"))
    content = bytearray(filesystem.cat_file(table))
    content[len(content) // 2] ^= 1
    filesystem.pipe_file(table, bytes(content))


def test_no_text_is_where_an_engineer_looks(served: Served) -> None:
    """After the two runs above: database with runs, logs, artifacts, events and blocks, the workers' logs, the names in the bucket."""
    home = served.folder / ".spanferry"
    database = b"".join(path.read_bytes() for path in home.glob("prefect.db*"))
    kept = [b"spanferry-scores", b"spanferry-store-secret", *(event.encode() for event in TOLD)]
    assert [name for name in kept if name not in database] == []
    for worker in ("cpu", "gpu-0"):  # a run speaks in its worker's log, a moment after its state is known
        log = home / "logs" / f"{worker}.log"
        wait_for(lambda log=log: "Completed" in log.read_text(encoding="utf-8"), f"the end of a run in {log.name}", 30)
    assert files_with_canary(home) == set()
    blocks = served.post("block_documents/filter", {"include_secrets": True})
    assert CANARY not in str(blocks) and {block["name"] for block in blocks} >= {"spanferry-store-key", "spanferry-store-secret"}
    filesystem, path = fsspec.url_to_fs(served.store, use_listings_cache=False)
    names = filesystem.find(path)
    assert names and not any(CANARY in name for name in names)
    assert not any(CANARY.encode() in filesystem.cat_file(name) for name in names if name.endswith(".json"))
    assert files_with_canary(served.folder / "results"), "and yet it was there to be leaked"
