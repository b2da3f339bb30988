"""``make drill``: a small corpus through the whole pipeline on a real S3 server, disturbed in every way that we can think of.

First the undisturbed run; then kills, damaged artifacts, a bad network, full disks, runs side by side. After each the same run again: its
outputs and artifacts must be the undisturbed ones, byte for byte. Writes ``drill.json`` and ``drill.md``; exits with 1 if a row is bad.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from drill.compare import different, hashes
from drill.damage import damages
from drill.disk import can_mount, disks
from drill.kills import kills
from drill.lab import Lab, Undisturbed
from drill.network import networks
from drill.prefect_server import PrefectServer
from drill.sharing import together
from drill.swift import DrillError, Swift
from drill.table import Row, save, summary, terminal

CONSOLE = Console()


def parts(lab: Lab, whole: Undisturbed, seed: int, killed: int, first: int) -> dict[str, Callable[[], Iterator[Row]]]:
    return {
        "damage": lambda: damages(lab, whole, seed),
        "network": lambda: networks(lab, whole),
        "disk": lambda: _disks(lab, whole),
        "sharing": lambda: together(lab, whole),
        "kill": lambda: kills(lab, whole, seed, killed, first),
    }


def _disks(lab: Lab, whole: Undisturbed) -> Iterator[Row]:
    if can_mount(lab.folder / "mount"):
        yield from disks(lab, whole)
    else:
        CONSOLE.print("drill: no full disk, since that needs root and the right to mount a tmpfs")


def drill(folder: Path, out: Path, seed: int, count: int, killed: int, first: int, wanted: list[str]) -> bool:
    """Whether every row is good."""
    rows: list[Row] = []
    with Swift(folder / "swift") as swift, PrefectServer(folder / "prefect") as server:
        lab = Lab(folder, swift, server, count)
        whole, local = lab.undisturbed("whole"), lab.undisturbed("local", store=str(folder / "local"))
        as_local = different(hashes(whole.store), hashes(local.store)) + different(whole.outputs, local.outputs)
        facts: dict[str, object] = {
            "seed": seed,
            "documents": count,
            "artifacts": len(whole.store.records),
            "undisturbed_seconds": [round(whole.seconds, 1), round(local.seconds, 1)],
            "bucket_same_as_folder": not as_local,
        }
        CONSOLE.print(f"undisturbed: {facts}", highlight=False)
        for name, part in parts(lab, whole, seed, killed, first).items():
            for row in part() if name in wanted else ():
                rows.append(row)
                save(out, rows, facts)
                CONSOLE.print(f"{'good' if row.good else 'BAD '} {row.part}: {row.what} ({row.when}): {row.saw}", highlight=False)
    CONSOLE.print(terminal(rows))
    CONSOLE.print(f"{summary(rows)}\nwrote {out / 'drill.md'} and {out / 'drill.json'}", highlight=False)
    return not as_local and all(row.good for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("drill-out"), help="folder of drill.md and drill.json")
    parser.add_argument("--work", type=Path, help="folder of stores and logs, kept; without it a temporary one")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and of what is damaged")
    parser.add_argument("--documents", type=int, default=8, help="of the bundled corpus")
    parser.add_argument("--kills", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="kill to begin with, where an earlier drill was broken off")
    parser.add_argument("--only", action="append", choices=["damage", "network", "disk", "sharing", "kill"], help="this part; repeatable")
    arguments = parser.parse_args()
    wanted = arguments.only or ["damage", "network", "disk", "sharing", "kill"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves every context, and with them every server
    try:
        with tempfile.TemporaryDirectory(prefix="spanferry-drill-") as temporary:
            folder: Path = arguments.work or Path(temporary)
            good = drill(folder.resolve(), arguments.out, arguments.seed, arguments.documents, arguments.kills, arguments.first, wanted)
    except DrillError as error:
        sys.exit(f"drill: {error}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
