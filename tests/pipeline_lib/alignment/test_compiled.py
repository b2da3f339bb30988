"""Compiled loops are kept between processes, never used after a change, and missed by nobody where they cannot be kept."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from pipeline_lib.alignment import kernel
from pipeline_lib.alignment.compiled import cache_folder, compiled

SUM = """
import numpy as np
from pipeline_lib.alignment.kernel import all_within
print(all_within(np.arange(9.0), 0.0, 8.0), *(sum(count.values()) for count in all_within.stats[1:]))
"""


def in_a_new_process(cache: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", SUM], env={**os.environ, "NUMBA_CACHE_DIR": str(cache)}, capture_output=True, check=True)
    return done.stdout.decode().split()


def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    assert in_a_new_process(tmp_path) == ["True", "0", "1"]
    assert in_a_new_process(tmp_path) == ["True", "1", "0"]


def test_a_place_that_cannot_be_written_keeps_nothing_and_loops_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / "a-file"
    taken.write_text("", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(taken))
    assert cache_folder(kernel.__name__) is None
    assert in_a_new_process(taken)[:2] == ["True", "0"]


def test_the_folder_is_the_users_own_and_named_by_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = cache_folder(kernel.__name__)
    assert folder is not None and folder.is_relative_to(tmp_path) and folder.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("pipeline_lib.alignment.compiled.code_hash", lambda module: "another")
    assert cache_folder(kernel.__name__) not in (folder, None)


def test_numbas_own_setting_is_left_as_it_was() -> None:
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]

    @compiled()
    def twice(numbers: np.ndarray) -> np.ndarray:
        return numbers + numbers

    assert (twice(np.arange(2)) == [0, 2]).all()
    assert before == numba.config.CACHE_DIR  # type: ignore[attr-defined]
