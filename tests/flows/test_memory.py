import subprocess
import sys
import threading
import time

import pytest

from flows import memory
from flows.memory import MemoryBound, affordable, in_bytes, taken
from flows.settings import ConfigError
from tests.flows.tiny import quick


@pytest.mark.parametrize(("memory", "expected"), [("", None), ("6GB", 6 * 10**9), ("1.5GB", 1_500_000_000), ("900MB", 900_000_000)])
def test_a_bound_in_bytes(memory: str, expected: int | None) -> None:
    assert in_bytes(memory) == expected


@pytest.mark.parametrize("memory", ["6", "six", "6 GB", "6gb", "-1GB", "6TB"])
def test_what_is_no_size_is_no_setting(memory: str) -> None:
    with pytest.raises(ConfigError, match="setting memory"):
        quick(f"memory={memory}")


@pytest.mark.parametrize(("memory", "workers"), [("", 4), ("100GB", 4), ("4GB", 3), ("2.2GB", 1)])
def test_as_many_workers_as_the_memory_allows(memory: str, workers: int) -> None:
    assert affordable(4, memory) == workers


def test_a_bound_that_no_run_keeps_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"memory: 1GB is too little, a run with one worker takes 2\.1GB"):
        affordable(2, "1GB")


def test_memory_of_what_was_started_counts() -> None:
    before = taken()
    program = "import sys; held = b'x' * 150_000_000; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert taken() - before > 140_000_000
        child.communicate()


def test_a_shard_waits_while_more_than_the_bound_is_taken_unless_none_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [200]
    monkeypatch.setattr(memory, "taken", lambda: now[0])
    monkeypatch.setattr(memory, "SECONDS_BETWEEN_LOOKS", 0.01)
    began: list[str] = []
    with MemoryBound(100) as bound:

        def second() -> None:
            with bound.shard():
                began.append("second")

        with bound.shard():
            began.append("first")
            waiting = threading.Thread(target=second)
            waiting.start()
            time.sleep(0.2)
            assert began == ["first"]
            now[0] = 50
            waiting.join(5)
        assert began == ["first", "second"]
    assert bound.peak == 200
