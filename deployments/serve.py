"""A site tried on one machine: a Prefect server on loopback, the site's deployments, and a worker a pool; watched until it is stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer

from deployments.children import Child, stop, watch
from deployments.site import CPU, GPU, Site, SiteError, read_site
from pipeline_lib.corpus.samples import write_sample

STARTUP_SECONDS = 180.0
HOME = ".spanferry"
DATABASE = "PREFECT_API_DATABASE_CONNECTION_URL"


class ServeError(RuntimeError):
    """The server or the site's deployments did not come up. Names the log to look into."""


def write_example(folder: Path) -> Path:
    """The example site with the bundled sample corpus beside it; what is there already stays. Returns the site file."""
    site = folder / "site.toml"
    if not site.exists():
        write_sample(folder / "corpus")
        with files("deployments").joinpath("site.example.toml").open("rb") as source, site.open("wb") as target:
            shutil.copyfileobj(source, target)
    return site


def serve_site(path: Path, port: int) -> None:
    """Serve the site of a file until SIGINT or SIGTERM. Raises ``SiteError``, ``ServeError``."""
    site = read_site(path)
    check_port(port)
    home = path.resolve().parent / HOME
    (home / "logs").mkdir(parents=True, exist_ok=True)
    stopped = _on_signals()
    children = [Child("server", _prefect("server", "start", "--host", "127.0.0.1", "--port", str(port)), server_environment(home, port))]
    try:
        children[0].start(home / "logs")
        typer.echo(f"starting Prefect on port {port} (its data: {_data(home)})")
        await_health(children[0], port, stopped)
        if not stopped.is_set():
            _deploy(path, home, port)
            children += workers(site, home, port)
            for child in children[1:]:
                child.start(home / "logs")
            typer.echo(f"serving {path}: http://127.0.0.1:{port} (logs: {home / 'logs'}; Ctrl-C stops everything)")
            watch(children, home / "logs", stopped, typer.echo)
    finally:
        typer.echo("stopping")
        stop(children[1:] + children[:1])  # workers first: they still have something to say to the server


def _deploy(path: Path, home: Path, port: int) -> None:
    # A process of its own: Prefect reads where the server is when it is imported, and here it has been.
    command = [sys.executable, "-m", "deployments.commands", "deploy", str(path)]
    if subprocess.run(command, env=os.environ | client_environment(home, port), check=False).returncode:
        raise ServeError("the site could not be deployed")


def workers(site: Site, home: Path, port: int) -> list[Child]:
    """A worker for the pool ``cpu``, and one a GPU."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("DATABASE_CONNECTION_URL")}
    environment |= client_environment(home, port)
    started = [Child(CPU, _worker(site, CPU, CPU), environment)]
    for number, device in enumerate(site.gpu.each[: site.gpu.workers] if GPU in site.pools else []):
        name = f"{GPU}-{number}"
        started.append(Child(name, _worker(site, GPU, name, "--limit", "1"), environment | {"CUDA_VISIBLE_DEVICES": device}))
    return started


def _worker(site: Site, pool: str, name: str, *options: str) -> list[str]:
    return _prefect("worker", "start", "--pool", pool, "--type", site.infrastructure, "--name", name, *options)


def _prefect(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]


def client_environment(home: Path, port: int) -> dict[str, str]:
    """What workers and runs are told of the server."""
    return {
        "DO_NOT_TRACK": "1",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }


def server_environment(home: Path, port: int) -> dict[str, str]:
    """The server's: no telemetry, a UI that finds its API on any port, and places on the store that a restart does not forget."""
    return {
        **os.environ,
        **client_environment(home, port),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
    }


def _data(home: Path) -> str:
    return f"the database of {DATABASE}" if os.environ.get(DATABASE) else str(home / "prefect.db")


def check_port(port: int) -> None:
    """Raises ``SiteError`` if something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SiteError(f"port {port} cannot be used, {error.strerror}: choose another with --port") from None


def await_health(server: Child, port: int, stopped: threading.Event) -> None:
    """Wait until the server answers, or until stopped. Raises ``ServeError``."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while not stopped.wait(0.3):
        if not server.alive:
            raise ServeError(f"the Prefect server ended at once; why is in {server.log}")
        if time.monotonic() > deadline:
            raise ServeError(f"the Prefect server did not answer within {STARTUP_SECONDS:.0f} s; see {server.log}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            continue


def _on_signals() -> threading.Event:
    """Set by Ctrl-C and SIGTERM."""
    stopped = threading.Event()

    def ask(number: int, frame: Any) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    return stopped
