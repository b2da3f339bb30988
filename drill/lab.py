"""Where the drill takes place: a small corpus, a store, a Prefect server, the undisturbed run; and how a run is started and judged."""

import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import fsspec

from drill.compare import Outputs, Snapshot, built_twice, count_records, different, hashes, outputs, shard, snapshot, written
from drill.prefect_server import PrefectServer
from drill.processes import Ended, Program
from drill.swift import Swift
from drill.table import Row, saw
from pipeline_lib.corpus.samples import documents, write_sample

ROOT = Path(__file__).resolve().parent.parent
QUICK = ("distill.least_steps=2", "distill.epochs=1", "distill.student.hidden=32", "distill.student.layers=1", "shards.small=4")
LIMIT = 900.0  # seconds that any run may take


@dataclass(frozen=True)
class Undisturbed:
    """What comes out if nothing happens."""

    store: Snapshot
    outputs: Outputs
    seconds: float


@dataclass(frozen=True)
class Moment:
    """When something happens: once so large a share of the artifacts is there, and so many seconds later."""

    share: float
    delay: float

    @staticmethod
    def draw(source: random.Random) -> "Moment":
        return Moment(source.random(), source.uniform(0, 0.5))


@dataclass(frozen=True)
class Disturbance:
    """What was done to a run, how that run ended, and the store as it was left.

    Attributes:
        said, clear: where they are not to be read from how the run ended; excused: shards that the drill itself damaged.
    """

    part: str
    what: str
    when: str
    ended: Ended
    before: Snapshot
    said: str | None = None
    clear: bool | None = None
    excused: frozenset[str] = frozenset()


class Lab:
    """One drill's folder and servers. ``name`` is a run's: of its log, its output folder and its prefix in the bucket."""

    def __init__(self, folder: Path, swift: Swift, server: PrefectServer, count: int) -> None:
        self.folder, self.swift, self.server = folder, swift, server
        self.corpus = folder / "corpus"
        write_sample(self.corpus, languages=("es", "en"), documents=documents()[:count])

    def url(self, name: str) -> str:
        return f"s3://{self.swift.bucket}/{name}"

    def out(self, name: str) -> Path:
        return self.folder / "out" / name

    def environment(self) -> dict[str, str]:
        """Of a program that uses the bucket, the server and the code that is drilled."""
        found = os.environ.get("PYTHONPATH")
        path = f"{ROOT}{os.pathsep}{found}" if found else str(ROOT)
        return {**self.swift.environment(), **self.server.environment(), "PYTHONPATH": path}

    def start(
        self,
        name: str,
        store: str | None = None,
        out: str | None = None,
        settings: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Program:
        """The whole pipeline as a user would run it."""
        target = self.out(out or name)
        command = [sys.executable, "-m", "flows.cli", "run", "embedded", "--quiet", "--corpus", str(self.corpus), "--targets", "en"]
        command += ["--store", store or self.url(name), "--out", str(target)]
        command += [part for setting in (*QUICK, *settings) for part in ("--set", setting)]
        return Program(command, self.folder / "log" / f"{name}-{time.time_ns()}.log", {**self.environment(), **(env or {})}, self.folder)

    def run(self, name: str, **told: object) -> Ended:
        """As ``start``, until it ends."""
        with self.start(name, **told) as program:  # type: ignore[arg-type]  # handed on as they are
            return program.wait(LIMIT)

    def undisturbed(self, name: str, store: str | None = None, settings: Sequence[str] = ()) -> Undisturbed:
        """Raises ``RuntimeError`` where a run fails though nothing happened to it."""
        ended = self.run(name, store=store, settings=settings)
        if ended.code:
            raise RuntimeError(f"the undisturbed run ended with {ended.code}: {ended.said}")
        return Undisturbed(self.look(name, store), outputs(self.out(name)), ended.seconds)

    def look(self, name: str, store: str | None = None) -> Snapshot:
        """What the store holds now; ``store`` is a folder where it is none of the bucket's."""
        files, root = (fsspec.filesystem("file"), store) if store else (self.swift.files(), f"{self.swift.bucket}/{name}")
        return snapshot(files, root)

    def until(self, moment: Moment, name: str, whole: Undisturbed, program: Program) -> str:
        """Wait for the moment; in words, when it was."""
        wanted = round(moment.share * len(whole.store.records))
        files, root = self.swift.files(), f"{self.swift.bucket}/{name}"
        found = 0
        while program.running and (found := count_records(files, root)) < wanted:
            time.sleep(0.3)
        time.sleep(moment.delay)
        if not program.running:
            return "it had ended"
        return f"{time.monotonic() - program.started:.1f} s, {found}/{len(whole.store.records)} artifacts"

    def judge(self, found: Disturbance, name: str, whole: Undisturbed, store: str | None = None, rerun: Ended | None = None) -> Row:
        """Run again without disturbance, unless that was done, and compare with ``whole``."""
        again = rerun or self.run(name, store=store)
        after = self.look(name, store)
        wrong = different(hashes(after), hashes(whole.store)) + different(outputs(self.out(name)), whole.outputs)
        promised = set(found.before.unsound()) - {key for key in found.before.records if shard(key) in found.excused}
        self.note(
            name, {"what": found.what, "said": found.ended.lines[-30:], "again": again.lines[-5:], "code": again.code, "wrong": wrong}
        )
        return Row(
            part=found.part,
            what=found.what,
            when=found.when,
            code=found.ended.code,
            saw=found.said or saw(found.ended),
            clear=found.ended.clear if found.clear is None else found.clear,
            same=again.code == 0 and not wrong,
            built=len({shard(key) for key in written(found.before, after)}),
            twice=len(set(built_twice(whole.store, found.before, after)) - found.excused),
            unsound=len(promised) + len(after.unsound()),
            seconds=found.ended.seconds + (again.seconds if again is not found.ended else 0),
        )

    def note(self, name: str, facts: dict[str, object]) -> None:
        """Details that the table has no room for."""
        with (self.folder / "notes.jsonl").open("a", encoding="utf-8") as notes:
            notes.write(json.dumps({"run": name, **facts}) + "\n")
