"""A real S3 server on loopback, without containers: OpenStack Swift with its s3api, on free ports, its data in a folder.

Needs Swift in the virtual environment ``.venv-drill`` (``make drill`` makes it: eventlet shall not live beside Prefect) and Debian's
memcached on the PATH. A killed server starts again on the same ports and the same data.
"""

import shutil
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import fsspec

from drill.processes import Program, free_ports, listening, wait_for
from drill.swift_config import write_config

USER, SECRET, REGION = "test:tester", "testing", "us-east-1"
RINGS = ("account", "container", "object")
PROGRAMS = Path(".venv-drill/bin")


class DrillError(RuntimeError):
    """The drill cannot begin. Says what is missing."""


class Swift:
    """One server below ``folder``; a context that starts and stops it."""

    def __init__(self, folder: Path, bucket: str = "drill") -> None:
        self.folder, self.bucket = folder.resolve(), bucket
        self._ports = dict(zip((*RINGS, "proxy", "memcached"), free_ports(5), strict=True))
        self._programs: list[Program] = []

    @property
    def port(self) -> int:
        return self._ports["proxy"]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, endpoint: str | None = None) -> dict[str, str]:
        """The standard variables by which any S3 client finds the server, or a proxy in front of it. An endpoint that is an address
        and no name makes botocore put the bucket into the path, so nothing else is needed.
        """
        return {
            "AWS_ENDPOINT_URL": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }

    def __enter__(self) -> Self:
        require_programs()
        write_config(self.folder, self._ports, PROGRAMS.resolve(), USER, SECRET, REGION)
        try:
            self.start()
            self.files().mkdir(self.bucket)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """All of its processes, until it says that it is healthy."""
        logs, etc, bin_folder = self.folder / "log", self.folder / "etc", PROGRAMS.resolve()
        memcached = ["memcached", "-l", "127.0.0.1", "-p", str(self._ports["memcached"]), "-m", "64", "-u", "nobody"]
        self._programs = [Program(memcached, logs / "memcached.log")]
        for kind in (*RINGS, "proxy"):
            server = [bin_folder / f"swift-{kind}-server", etc / f"{kind}-server.conf"]
            self._programs.append(Program(server, logs / f"{kind}.log"))
        wait_for(lambda: all(map(listening, self._ports.values())) and self._healthy(), "Swift", 90)

    def kill(self) -> None:
        """``kill -9`` of every process of the server."""
        for program in self._programs:
            program.kill()

    def stop(self) -> None:
        for program in self._programs:
            program.stop()

    def files(self) -> fsspec.AbstractFileSystem:
        """The server's buckets as a file system of the drill's own, past any proxy."""
        return fsspec.filesystem(
            "s3",
            endpoint_url=self.endpoint,
            key=USER,
            secret=SECRET,
            client_kwargs={"region_name": REGION},
            use_listings_cache=False,
        )

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/healthcheck", timeout=2) as answer:
                return bool(answer.read() == b"OK")
        except OSError:
            return False


def require_programs() -> None:
    """Raises ``DrillError`` that says how to get what is missing."""
    if not (PROGRAMS / "swift-proxy-server").exists():
        raise DrillError("Swift is not in .venv-drill: `make drill` installs it, from the repository's root")
    if shutil.which("memcached") is None:
        raise DrillError("memcached is not on the PATH: `apt-get install memcached`")
