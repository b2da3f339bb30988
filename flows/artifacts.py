"""What a run shows on its page in the Prefect UI: a bar a stage, the scores, what was not taken, and where the report lies."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import cast
from uuid import UUID

import httpx
import polars as pl
import pyarrow as pa
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from data_contracts.evaluation import ALL_LABELS
from flows.collection import F1, LastRun, Numbers
from flows.pace import sentence
from pipeline_lib.progress.stage_time import StageTime

SECONDS_BETWEEN_UPDATES = 1.0

Row = dict[str, object]


class RunPage:
    """The artifacts of one run, told to the server by a thread of their own: shards do not wait for a busy server.

    No run fails for them: once the server does not answer, no more is shown.
    """

    def __init__(self) -> None:
        self._teller = ThreadPoolExecutor(max_workers=1, thread_name_prefix="run-page")
        self._newest: dict[str, tuple[float, str]] = {}
        self._telling: list[Future[None]] = []
        self._bars: dict[str, UUID] = {}
        self._updated = 0.0
        self._lost = False

    def stage(self, so_far: StageTime) -> None:
        """Show how far a stage is: when it begins, at most once a second, and when it ends."""
        ended, shards, name = so_far.ended, so_far.shards, so_far.stage
        if 0 < ended < shards and time.monotonic() - self._updated < SECONDS_BETWEEN_UPDATES:
            return
        percent = 100.0 * (ended - so_far.failed) / shards if shards else 100.0
        self._newest[name] = percent, sentence(so_far)
        self._updated = time.monotonic()
        self._telling.append(self._teller.submit(copy_context().run, self._tell, name))

    def flush(self) -> None:
        """Wait until the server knows all that was shown. A run does so before it ends."""
        telling, self._telling = self._telling, []
        for told in telling:
            told.result()

    def _tell(self, name: str) -> None:
        """The newest of a stage; nothing if that was told already, since a slow server is asked less often."""
        newest = self._newest.pop(name, None)
        if newest is None or self._lost:
            return
        with self._showing():
            if name in self._bars:
                update_progress_artifact(self._bars[name], *newest)
            else:
                key = f"spanferry-{name.replace(' ', '-')}"
                self._bars[name] = cast(UUID, create_progress_artifact(newest[0], key, newest[1]))  # the function is sync in a sync flow

    def result(self, out: Path, scores: pa.Table, now: LastRun, last: LastRun | None) -> None:
        """Show what came of the run, beside the last one of its collection."""
        self.flush()
        if self._lost:
            return
        against = f"against {last.run}" if last else "the collection's first run"
        with self._showing():
            if scores.num_rows:
                create_table_artifact(score_rows(scores, last), "spanferry-scores", f"F1 of {now.run}, {against}")
            if rejected := reject_rows(now, last):
                create_table_artifact(rejected, "spanferry-rejects", f"not taken or not projected by {now.run}, {against}")
            create_markdown_artifact(report_text(out, now, last), "spanferry-report", f"where the report of {now.run} lies")

    @contextmanager
    def _showing(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            self._lost = True
            get_run_logger().warning("the run's artifacts are not shown, the server does not answer: %s", type(error).__name__)


def score_rows(scores: pa.Table, last: LastRun | None) -> list[Row]:
    """A row a language and label, all labels pooled first: gold mentions, strict and character F1, and how far each moved."""
    table = pl.DataFrame(scores).pivot("metric", index=["target_lang", "label", "gold"], values="f1", sort_columns=True)
    before = last.scores if last else {}
    return [
        _score_row(row["target_lang"], row["label"], row["gold"], F1(strict=row["strict"], char=row["char"]), before)
        for row in table.sort("target_lang", pl.col("label") != ALL_LABELS, "label").to_dicts()
    ]


def _score_row(lang: str, label: str, gold: int, f1: F1, before: dict[str, dict[str, F1]]) -> Row:
    old = before.get(lang, {}).get(label)
    return {
        "language": lang,
        "label": "all" if label == ALL_LABELS else label,
        "gold": gold,
        "strict F1": f"{f1.strict:.4f}",
        "strict change": _change(f1.strict, old.strict if old else None),
        "char F1": f"{f1.char:.4f}",
        "char change": _change(f1.char, old.char if old else None),
    }


def _change(now: float, before: float | None) -> str:
    return "" if before is None else f"{round(now - before, 4) + 0.0:+.4f}"  # + 0.0: no change is not -0.0000


def reject_rows(now: LastRun, last: LastRun | None) -> list[Row]:
    """A row a reason, the most frequent first: what a stage rejected, then what was not projected into a language."""
    rejected = _reason_rows("rejected", now.rejects, last.rejects if last else None)
    return rejected + _reason_rows("not projected", now.abstentions, last.abstentions if last else None)


def _reason_rows(what: str, counts: Numbers, before: Numbers | None) -> list[Row]:
    """Reasons of either run: one that is gone is news too."""
    new, old = _flat(counts), _flat(before or {})
    keys = sorted({*new, *old}, key=lambda key: (-new.get(key, 0), key))
    return [
        {
            "what": what,
            "where": where,
            "reason": reason,
            "count": new.get((where, reason), 0),
            "change": f"{new.get((where, reason), 0) - old.get((where, reason), 0):+d}" if before is not None else "",
        }
        for where, reason in keys
    ]


def _flat(numbers: Numbers) -> dict[tuple[str, str], int]:
    return {(outer, inner): number for outer, found in numbers.items() for inner, number in found.items()}


def report_text(out: Path, now: LastRun, last: LastRun | None) -> str:
    """Markdown: the figures of the run in a few lines, and the place of its report.

    A path beside the link, since browsers open no file from a page of a server, and a worker's folder need not be the reader's.
    """
    report = (out / "report.html").absolute()
    left_out = sum(_flat(now.abstentions).values())
    lines = [
        f"**{now.run}**, {now.profile}, {now.source} to {', '.join(now.targets)}",
        f"- {now.documents} documents, {now.mentions} mentions, {left_out} not projected, {sum(_flat(now.rejects).values())} rejects",
        f"- model: {'fitted by this run' if now.model == now.run else now.model}",
        f"- last run of the collection: {last.run if last else 'none'}",
        f"- [report]({report.as_uri()}): `{report}`",
    ]
    return "\n".join([lines[0], "", *lines[1:]])
