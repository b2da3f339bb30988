import json
from dataclasses import replace
from pathlib import Path

import pytest

from drill.processes import Ended
from drill.table import Row, markdown, save, saw, summary

GOOD = Row("kill", "flow", "3.0 s", -9, "killed", True, True, 7, 0, 0, 61.2)


@pytest.mark.parametrize("change", [{"clear": False}, {"same": False}, {"twice": 1}, {"unsound": 1}])
def test_a_row_is_good_only_if_nothing_is_wrong(change: dict[str, int]) -> None:
    assert GOOD.good and not replace(GOOD, **change).good  # type: ignore[arg-type]


def test_the_summary_counts_kills_by_themselves() -> None:
    rows = [GOOD, replace(GOOD, same=False), replace(GOOD, part="network", twice=2)]
    assert summary(rows).startswith("1 of 2 kills end in the same bytes after a rerun; 1 of 3 rows as they should be; 2 finished shards")


def test_every_row_is_saved_for_people_and_programs(tmp_path: Path) -> None:
    rows = [GOOD, replace(GOOD, saw="a|b", same=False)]
    save(tmp_path / "out", rows, {"seed": 3})
    told = json.loads((tmp_path / "out" / "drill.json").read_text("utf-8"))
    assert told["seed"] == 3 and [row["saw"] for row in told["rows"]] == ["killed", "a|b"]
    lines = markdown(rows).splitlines()
    assert len(lines) == 4 and "a\\|b" in lines[3] and "DIFFERENT" in lines[3] and "DIFFERENT" not in lines[2]
    assert (tmp_path / "out" / "drill.md").read_text("utf-8").endswith(markdown(rows))


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (Ended(-9, ("half a line",), 1.0), "killed"),
        (Ended(0, (), 1.0), "ended well"),
        (Ended(1, (), 1.0), "nothing"),
        (Ended(5, ("spanferry: no",), 1.0), "spanferry: no"),
        (Ended(1, ("Traceback (most recent call last):", "OSError: no"), 1.0), "TRACEBACK ... OSError: no"),
    ],
)
def test_what_the_user_saw_is_the_last_line(ended: Ended, said: str) -> None:
    assert saw(ended) == said
