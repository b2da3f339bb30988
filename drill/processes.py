"""Programs that the drill starts: a kill takes one with all that it started, and none of them outlives the drill."""

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

GRACE = 10.0  # seconds from SIGTERM to SIGKILL


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code (negative: the signal), the lines that it wrote to stderr, seconds."""

    code: int
    lines: tuple[str, ...]
    seconds: float

    @property
    def said(self) -> str:
        """The last line that the user saw."""
        return self.lines[-1] if self.lines else ""

    @property
    def traceback(self) -> bool:
        return any(line.startswith("Traceback (most recent call last)") for line in self.lines)

    @property
    def clear(self) -> bool:
        """Exit code 0 and no word of trouble, or one sentence of ours and the exit code for stores and outputs."""
        return (self.code == 0 and not self.lines) or (self.code == 5 and len(self.lines) == 1 and self.said.startswith("spanferry: "))


class Program:
    """A running program; what it writes goes to ``log``. Leaving the context ends it and all that it started."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.log, self.started = log, time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=written,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self, alone: bool = False) -> None:
        """``kill -9`` of the program and, unless ``alone``, of all that it started: nobody gets to clean up."""
        for process in [psutil.Process(self.pid), *([] if alone else self._children())] if self.running else []:
            _kill(process)
        self._process.wait()

    def stop(self) -> None:
        """Ask, then kill what is left."""
        children = self._children() if self.running else []
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self.kill()
        for child in children:
            _kill(child)

    def wait(self, seconds: float) -> Ended:
        """Until it ends by itself. Raises ``TimeoutError`` after so many seconds."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.log.name}: still running after {seconds:.0f} s") from None
        return Ended(code, readable_lines(self.log.read_text("utf-8", "replace")), time.monotonic() - self.started)

    def _children(self) -> list[psutil.Process]:
        """A worker's flow runs lead sessions of their own, so that a process group would miss them."""
        try:
            found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return found


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def readable_lines(text: str) -> tuple[str, ...]:
    """The lines of a log that hold something, without colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return tuple(line.rstrip() for line in plain.splitlines() if line.strip())


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on right now, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(opened.getsockname()[1]) for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this port of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(ready: Callable[[], bool], what: str, seconds: float, every: float = 0.2) -> None:
    """Until ``ready()`` holds. Raises ``TimeoutError`` that names ``what``."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)
