"""A full disk, as a small tmpfs: where temporary files lie, under a store that is a folder, under the outputs. Needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drill.compare import snapshot
from drill.lab import Disturbance, Lab, Undisturbed
from drill.table import Row

ENOUGH = "256m"


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a tmpfs here."""
    if os.geteuid() != 0:
        return False
    try:
        with _small(folder, "64k"):
            return True
    except subprocess.CalledProcessError:
        return False


def disks(lab: Lab, whole: Undisturbed) -> Iterator[Row]:
    """Each kind of place, full in the middle of a run, then large enough."""
    yield _full_temporary(lab, whole)
    yield _full_store(lab, whole)
    yield _full_outputs(lab, whole)


def _full_temporary(lab: Lab, whole: Undisturbed) -> Row:
    name = "disk-temporary"
    with _small(lab.folder / name, "1m") as disk:
        ended = lab.run(name, env={"TMPDIR": str(disk)})
    return lab.judge(Disturbance("disk", "TMPDIR of 1 MB", _grown(lab, name), ended, lab.look(name)), name, whole)


def _full_store(lab: Lab, whole: Undisturbed) -> Row:
    name = "disk-store"
    with _small(lab.folder / name, "2m") as disk:
        store = str(disk / "store")
        ended = lab.run(name, store=store)
        before = lab.look(name, store)
        half = [key for key in before.objects if ".publishing-" in key]
        when = f"{len(before.records)} artifacts, {len(half)} half-written"
        _enlarge(disk)
        return lab.judge(Disturbance("disk", "store, a folder of 2 MB", when, ended, before), name, whole, store=store)


def _full_outputs(lab: Lab, whole: Undisturbed) -> Row:
    name = "disk-outputs"
    with _small(lab.out(name), "64k") as disk:
        ended = lab.run(name)
        _enlarge(disk)
        return lab.judge(Disturbance("disk", "output folder of 64 kB", _grown(lab, name), ended, lab.look(name)), name, whole)


def _grown(lab: Lab, name: str) -> str:
    found = snapshot(lab.swift.files(), f"{lab.swift.bucket}/{name}")
    return f"{len(found.records)} artifacts"


@contextmanager
def _small(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "spanferry-drill", str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def _enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,size={ENOUGH}", str(folder)], check=True, capture_output=True)
