"""Processes that belong together: started with a log each, restarted when they die, stopped in order and in time."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

RESTART_SECONDS = 5.0  # between two starts of one child
STOP_SECONDS = 3.5  # for what is asked to end; then it is killed
KILL_SECONDS = 1.0


class Child:
    """One process in a session of its own, so that the terminal's Ctrl-C reaches us alone."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self.log = Path()

    def start(self, logs: Path) -> None:
        """Start it; what it says is appended to ``{name}.log``."""
        self.log = logs / f"{self.name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started = time.monotonic()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """How it ended."""
        return None if self._process is None else self._process.returncode

    @property
    def may_start(self) -> bool:
        """Whether its last start is long enough ago."""
        return time.monotonic() - self._started >= RESTART_SECONDS

    def send(self, number: signal.Signals) -> None:
        """To it and what it started."""
        if self._process is not None and self.alive:
            os.killpg(self._process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended by then."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True


def watch(children: Sequence[Child], logs: Path, stopped: threading.Event, say: Callable[[str], object]) -> None:
    """Restart whatever dies, until ``stopped``."""
    while not stopped.wait(0.5):
        for child in children:
            if not child.alive and child.may_start:
                say(f"{child.name} ended (code {child.code}), starting it again; see {child.log}")
                child.start(logs)


def stop(children: Sequence[Child]) -> None:
    """End all but the last together, then the last; what does not end when asked is killed."""
    *first, last = children
    for group in (first, [last]):
        deadline = time.monotonic() + STOP_SECONDS
        for child in group:
            child.send(signal.SIGTERM)
        for child in group:
            if not child.wait(deadline - time.monotonic()):
                child.send(signal.SIGKILL)
                child.wait(KILL_SECONDS)
