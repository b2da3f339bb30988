"""A Prefect server of the drill's own: loopback, a free port, its database in a folder that outlives a kill."""

import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from drill.processes import Program, free_ports, wait_for

POOL = "drill"
# Seconds. Short ones, so that a worker takes a run at once and its death is noticed soon.
WORKER = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_HEARTBEAT_SECONDS": "3", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class PrefectServer:
    """A context that starts and stops it; in between it may be killed and started again on the same database."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._port = folder.resolve(), free_ports(1)[0]
        self._program: Program | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    def environment(self) -> dict[str, str]:
        """For programs that are to use it."""
        return {
            "PREFECT_API_URL": self.api,
            "PREFECT_HOME": str(self.folder),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._program is not None:
            self._program.stop()

    def start(self) -> None:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self._port)]
        self._program = Program(command, self.folder / "server.log", self.environment())
        wait_for(self._healthy, "the Prefect server", 180, every=0.5)

    def kill(self) -> None:
        """``kill -9``, with its services."""
        if self._program is not None:
            self._program.kill()

    def worker(self, name: str, log: Path, environment: dict[str, str], cwd: Path) -> Program:
        """A process worker of the pool; each flow run is a process that it starts."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", name]
        return Program(command, log, {**self.environment(), **WORKER, **environment}, cwd)

    def deploy(self, entrypoint: str, flow: str) -> str:
        """A deployment of a flow that is importable as ``module.function``, once the first worker has made the pool; its id."""
        pool = f"{self.api}/work_pools/{POOL}"
        wait_for(lambda: httpx.get(pool, timeout=30).is_success, "a worker", 120)
        body = {"name": "drill", "flow_id": self._post("flows/", {"name": flow})["id"], "entrypoint": entrypoint, "work_pool_name": POOL}
        return str(self._post("deployments/", {**body, "pull_steps": [], "path": ".", "enforce_parameter_schema": False})["id"])

    def order(self, deployment: str, parameters: dict[str, Any]) -> str:
        """A run of the deployment, now; its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self._post(f"deployments/{deployment}/create_flow_run", body)["id"])

    def state(self, run: str) -> tuple[str, str]:
        """Type and message of a flow run's state."""
        told = httpx.get(f"{self.api}/flow_runs/{run}", timeout=30).raise_for_status().json()["state"] or {}
        return str(told.get("type")), str(told.get("message") or "")

    def now(self) -> str:
        """The time as ``logged`` takes it."""
        return datetime.now(UTC).isoformat()

    def logged(self, since: str, word: str) -> list[str]:
        """Messages with this word that flows sent since then, once they have arrived."""
        time.sleep(3)  # Prefect sends logs in batches
        body = {"logs": {"timestamp": {"after_": since}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        answer = httpx.post(f"{self.api}/logs/filter", json=body, timeout=60).raise_for_status()
        return [str(entry["message"]) for entry in answer.json() if word in entry["message"]]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.post(f"{self.api}/{path}", json=body, timeout=60).raise_for_status().json()
        return answer

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.api}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
