"""What the end-to-end tests share: a quick configuration, a few documents, and how to run and compare."""

from pathlib import Path

from flows.config import RunConfig, load_config
from flows.pipeline import run_pipeline
from flows.watch import LISTENER, Progress
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.evaluation.summary import Counts

# One thread: on busy cores two wait for each other in products as small as these, many times as long. tests/tasks/test_distill.py has two.
QUICK = ["distill.least_steps=2", "distill.epochs=1", "distill.student.hidden=32", "distill.student.layers=1", "distill.threads=1"]


def quick(*settings: str) -> RunConfig:
    return load_config("embedded", [*QUICK, *settings])


def small_corpus(folder: Path, langs: tuple[str, ...] = ("es", "en"), count: int = 6) -> Path:
    write_sample(folder, languages=langs, documents=documents()[:count])
    return folder


def run(
    corpus: Path,
    root: Path,
    out: str = "out",
    targets: tuple[str, ...] = ("en",),
    model: str | None = None,
    config: RunConfig | None = None,
) -> tuple[Counts, list[Progress]]:
    """Run into ``root/out`` with the store ``root/store``; the counts and every finished shard."""
    events: list[Progress] = []
    token = LISTENER.set(events.append)
    try:
        counts = run_pipeline(config or quick(), str(corpus), "es", list(targets), str(root / "store"), str(root / out), model)
    finally:
        LISTENER.reset(token)
    return counts, events


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` but those that hold times, and what a store knows of this very folder's last run."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "report.html")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.parent.name not in ("collections", "progress")}


def built(events: list[Progress]) -> dict[str, int]:
    """Shards built, not reused, by stage."""
    stages = {event.stage: 0 for event in events}
    for event in events:
        stages[event.stage] += not event.reused
    return stages
