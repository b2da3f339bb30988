"""Processes that belong together: restarted when they die, stopped in order and in time."""

import sys
import threading
import time
from pathlib import Path

import pytest

from deployments import children
from deployments.children import Child, stop, watch

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
ENDING = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('{}', time.time(), flush=True), sys.exit())); \
print('up', flush=True); time.sleep(60)"


def child(name: str, code: str) -> Child:
    return Child(name, [sys.executable, "-c", code], {})


def until_it_says(started: Child, word: str) -> None:
    deadline = time.monotonic() + 20
    while word not in started.log.read_text():
        assert time.monotonic() < deadline, f"{started.name} did not say {word!r}"
        time.sleep(0.02)


def test_what_a_child_says_is_in_its_log(tmp_path: Path) -> None:
    one = child("one", "print('hello')")
    one.start(tmp_path)
    assert one.wait(20) and one.code == 0
    assert (tmp_path / "one.log").read_text() == "hello\n"


def test_a_child_that_dies_is_started_again_and_its_log_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "RESTART_SECONDS", 0.1)
    one, stopped, said = child("one", "import sys; print('up', flush=True); sys.exit(3)"), threading.Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            stopped.set()

    one.start(tmp_path)
    watch([one], tmp_path, stopped, say)
    assert one.wait(20)
    assert said == [f"one ended (code 3), starting it again; see {tmp_path / 'one.log'}"] * 2
    assert (tmp_path / "one.log").read_text() == "up\n" * 3


def test_a_child_that_dies_at_once_is_not_started_without_pause(tmp_path: Path) -> None:
    one = child("one", "")
    one.start(tmp_path)
    assert one.wait(20) and not one.may_start


def test_the_last_ends_after_the_others(tmp_path: Path) -> None:
    several = [child(name, ENDING.format(name)) for name in ("cpu", "gpu", "server")]
    for one in several:
        one.start(tmp_path)
    for one in several:
        until_it_says(one, "up")
    stop(several)
    ends = [float(one.log.read_text().split()[-1]) for one in several]
    assert max(ends[:2]) < ends[2] and not any(one.alive for one in several)


def test_what_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 0.2)
    one = child("one", STUBBORN)
    one.start(tmp_path)
    until_it_says(one, "deaf")
    stop([one])
    assert not one.alive and one.code == -9


def test_all_of_it_ends_within_ten_seconds() -> None:
    assert 2 * (children.STOP_SECONDS + children.KILL_SECONDS) <= 10
