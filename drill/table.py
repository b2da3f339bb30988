"""What the drill found, row by row: for the terminal, as markdown and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from drill.processes import Ended


@dataclass(frozen=True)
class Row:
    """One disturbance, and the run after it.

    Attributes:
        part: which part of the drill; what: was done; when: how far the run had come; code: exit code of the disturbed run.
        saw: the last thing that it said; clear: it ended well, or in one sentence and exit code 5, or it was itself killed.
        same: the rerun's outputs and artifacts are the undisturbed run's, byte for byte; built: shards that the rerun built.
        twice: shards that were finished before and were built again; unsound: records that promised what was not there.
        seconds: of the disturbed run and the rerun.
    """

    part: str
    what: str
    when: str
    code: int | None
    saw: str
    clear: bool
    same: bool
    built: int
    twice: int
    unsound: int
    seconds: float

    @property
    def good(self) -> bool:
        return self.clear and self.same and not self.twice and not self.unsound


LONGEST = 240  # letters of what the user saw
HEADINGS = {
    "part": "part",
    "what": "what was done",
    "when": "when",
    "code": "exit",
    "saw": "what the user saw",
    "clear": "clear",
    "same": "rerun",
    "built": "built",
    "twice": "built twice",
    "unsound": "unsound",
    "seconds": "s",
}


def saw(ended: Ended) -> str:
    """The last line, and whether a traceback stood before it."""
    if ended.code < 0:
        return "killed"
    said = ended.said[:LONGEST] or ("ended well" if ended.code == 0 else "nothing")
    return f"TRACEBACK ... {said}" if ended.traceback else said


def cells(row: Row) -> list[str]:
    shown = {"code": "" if row.code is None else str(row.code), "clear": _yes(row.clear), "same": "same" if row.same else "DIFFERENT"}
    return [shown.get(part.name, _text(getattr(row, part.name))) for part in fields(Row)]


def terminal(rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, title="the drill", title_justify="left")
    for name, heading in HEADINGS.items():
        table.add_column(heading, justify="right" if name in ("code", "built", "twice", "unsound", "seconds") else "left")
    for row in rows:
        table.add_row(*cells(row), style="" if row.good else "bold red")
    return table


def markdown(rows: Sequence[Row]) -> str:
    lines = [HEADINGS.values(), ["---"] * len(HEADINGS), *(cells(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def save(folder: Path, rows: Sequence[Row], facts: dict[str, object]) -> None:
    """``drill.json`` and ``drill.md``, after every row, so that a drill that breaks off leaves what it found."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {**facts, "rows": [asdict(row) for row in rows]}
    (folder / "drill.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (folder / "drill.md").write_text(summary(rows) + "\n\n" + markdown(rows), encoding="utf-8")


def summary(rows: Sequence[Row]) -> str:
    """One sentence; kills by themselves."""
    kills = [row for row in rows if row.part == "kill"]
    good = sum(row.good for row in rows)
    same = sum(row.same for row in kills)
    twice, unsound = sum(row.twice for row in rows), sum(row.unsound for row in rows)
    return (
        f"{same} of {len(kills)} kills end in the same bytes after a rerun; {good} of {len(rows)} rows as they should be; "
        f"{twice} finished shards built twice; {unsound} records promised what was not there"
    )


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


def _text(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
