"""A run's progress record: ids, counts and times, a small file of the store.

``progress/{name}.json``; the name is that of the run's lease while it is at work, afterwards its id. A record without a lease or a run of
its name is what a killed or failed run left.
"""

import os
from typing import Literal

from pydantic import BaseModel

from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.store import Store

FOLDER = "progress"
State = Literal["at work", "finished", "failed"]


class RunProgress(BaseModel, frozen=True):
    """How far a run is.

    Attributes:
        name: as its lease says; run: its id, which it has when all is made; out: hash of its output folder, see ``place``.
        since, ended: Unix time by the clock of the machine that it runs on.
        stages: those that have ended and the one at work, in their order.
    """

    name: str
    host: str
    pid: int
    since: float
    out: str = ""
    run: str = ""
    state: State = "at work"
    ended: float | None = None
    stages: tuple[StageTime, ...] = ()


def progress_key(name: str) -> str:
    return f"{FOLDER}/{name}.json"


def place(out: str) -> str:
    """Names an output folder: a hash, since a folder's name may say more than a store should."""
    return digest(os.path.abspath(out))[:12]


def write_progress(store: Store, name: str, progress: RunProgress) -> None:
    store.write_record(progress_key(name), progress.model_dump(mode="json", exclude={"stages": {"__all__": {"curve"}}}))


def read_progress(store: Store, name: str) -> RunProgress | None:
    """The record of this name; None if there is none, or nothing that is one."""
    try:
        record = store.read_record(progress_key(name))
        return None if record is None else RunProgress.model_validate(record)
    except ValueError:
        return None
