from pathlib import Path

import pytest

from benchmarks.scale import Measured, draw, size, slopes


def run(documents: int, **stages: float) -> Measured:
    return Measured(documents, sum(stages.values()), 1.0, 1.0, 1.0, stages)


def test_a_slope_is_the_exponent_that_seconds_grow_with() -> None:
    found = slopes([run(n, project=n / 10, score=n**2 / 1e4, scan=5.0) for n in (100, 1000, 10000)])
    assert found["project"] == pytest.approx(1) and found["score"] == pytest.approx(2) and found["scan"] == pytest.approx(0, abs=1e-9)
    assert 1 < found["all"] < 2


def test_a_stage_that_some_size_lacks_has_none() -> None:
    assert {*slopes([run(100, project=1.0, match=1.0), run(1000, project=10.0)])} == {"project", "all"}


def test_the_figure_names_the_slopes(tmp_path: Path) -> None:
    draw([run(n, project=n / 10) for n in (100, 1000)], tmp_path / "scale.svg")
    assert (tmp_path / "scale.svg").read_text("utf-8").startswith("<?xml")


def test_sizes_are_of_files_and_of_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    assert size(tmp_path) == size(tmp_path / "a" / "b") == 5 and size(tmp_path / "none") == 0
