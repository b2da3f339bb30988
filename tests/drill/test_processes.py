import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from drill.processes import Ended, Program, free_ports, listening, readable_lines, wait_for

TREE = "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True); \
sys.stderr.write(f'{c.pid}\\n'); sys.stderr.flush(); time.sleep(60)"


def python(code: str, tmp_path: Path) -> Program:
    return Program([sys.executable, "-c", code], tmp_path / "log" / "program.log")


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def child(log: Path) -> int:
    wait_for(lambda: log.read_text().endswith("\n"), "the child", 20)
    return int(log.read_text())


def test_how_a_program_ended_is_read_from_its_log(tmp_path: Path) -> None:
    with python("import sys; sys.stderr.write('first\\n\\n\\x1b[31mlast\\x1b[0m\\n'); sys.exit(5)", tmp_path) as program:
        ended = program.wait(20)
    assert (ended.code, ended.lines, ended.said) == (5, ("first", "last"), "last") and not program.running


def test_a_kill_takes_what_the_program_started_even_in_sessions_of_its_own(tmp_path: Path) -> None:
    with python(TREE, tmp_path) as program:
        other = child(program.log)
        program.kill()
        wait_for(lambda: not alive(other), "the child's end", 10)
        assert program.wait(1).code == -9


def test_a_lonely_kill_leaves_what_the_program_started(tmp_path: Path) -> None:
    with python(TREE, tmp_path) as program:
        other = child(program.log)
        program.kill(alone=True)
        assert alive(other) and not program.running
        os.kill(other, 9)


def test_leaving_the_context_ends_everything(tmp_path: Path) -> None:
    with python(TREE, tmp_path) as program:
        other = child(program.log)
    wait_for(lambda: not alive(other), "the child's end", 10)
    assert not program.running


def test_a_program_that_does_not_end_in_time_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    with python("import time; time.sleep(60)", tmp_path) as program, pytest.raises(TimeoutError, match=r"program\.log"):
        program.wait(0.1)


@pytest.mark.parametrize(
    ("code", "lines", "clear"),
    [
        (0, (), True),
        (0, ("ERROR an event was lost",), False),
        (5, ("spanferry: the store does not answer",), True),
        (5, ("warning", "spanferry: the store does not answer"), False),
        (1, ("spanferry: the store does not answer",), False),
        (5, ("OSError: no",), False),
        (-9, (), False),
    ],
)
def test_a_clear_end_is_success_or_one_sentence_with_the_exit_code_of_stores(code: int, lines: tuple[str, ...], clear: bool) -> None:
    assert Ended(code, lines, 1.0).clear is clear


def test_a_traceback_is_seen_wherever_it_stands() -> None:
    lines = readable_lines("hello\nTraceback (most recent call last):\n  File ...\nOSError: no\n")
    assert Ended(1, lines, 1.0).traceback and not Ended(1, lines[:1], 1.0).traceback


def test_ports_are_free_and_different() -> None:
    ports = free_ports(5)
    assert len({*ports}) == 5 and not any(map(listening, ports))


def test_waiting_in_vain_names_what_for() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="the moon"):
        wait_for(lambda: False, "the moon", 0.1, every=0.01)
    assert time.monotonic() - started < 5
