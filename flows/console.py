"""The terminal: progress bars that count documents, tables, and one line an error with an exit code a kind."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from data_contracts.evaluation import ALL_LABELS
from flows.watch import LISTENER
from flows.watch import Progress as ShardDone
from pipeline_lib.evaluation.scorer import ScoreRow

OUT = Console()
ERR = Console(stderr=True)


@contextmanager
def progress_bars(quiet: bool) -> Iterator[None]:
    """Show a bar a stage, in documents, while the context lasts."""
    if quiet:
        yield
        return
    columns = (
        TextColumn("{task.description:<13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]:<9} {task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=ERR) as bars:
        token = LISTENER.set(_Bars(bars))
        try:
            yield
        finally:
            LISTENER.reset(token)


class _Bars:
    """Turns finished shards into bars; a stage's documents are estimated until its last shard is done.

    A stage that works on a whole language pair at once counts languages.
    """

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._documents: Counter[str] = Counter()
        self._reused: Counter[str] = Counter()

    def __call__(self, shard: ShardDone) -> None:
        if shard.stage not in self._tasks:
            self._tasks[shard.stage] = self._bars.add_task(shard.stage, total=None, unit="", note="")
        self._documents[shard.stage] += shard.documents
        self._reused[shard.stage] += shard.reused
        documents, note = self._documents[shard.stage], "(reused)" if self._reused[shard.stage] == shard.done else ""
        if documents:
            total = round(documents * shard.shards / shard.done)
            self._bars.update(self._tasks[shard.stage], completed=documents, total=total, unit="documents", note=note)
        else:
            self._bars.update(self._tasks[shard.stage], completed=shard.done, total=shard.shards, unit="languages", note=note)


def score_table(scores: pl.DataFrame, title: str) -> Table:
    """Strict and char F1 with their intervals, a row a language and label; fits 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("label", overflow="fold", min_width=4)
    for name in ("gold", "pred.", "strict F1", "95 %", "char F1", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for (lang, label), rows in scores.group_by(["target_lang", "label"], maintain_order=True):
        by_metric = {row["metric"]: row for row in rows.to_dicts()}
        strict, char = by_metric["strict"], by_metric["char"]
        figures = [cell for row in (strict, char) for cell in (f"{row['f1']:.4f}", f"{_short(row['low'])}-{_short(row['high'])}")]
        pooled = label == ALL_LABELS
        name = "all" if pooled else str(label)
        table.add_row(
            str(lang), name, str(strict["gold"]), str(strict["predicted"]), *figures, style="bold" if pooled else "", end_section=pooled
        )
    return table


def _short(share: float) -> str:
    """Three decimals without the leading zero: .905."""
    return f"{share:.3f}".removeprefix("0")


def plain_score_table(rows: list[ScoreRow]) -> Table:
    """Figures of ``spanferry score``, four decimals."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("label", "metric"):
        table.add_column(name)
    for name in ("precision", "recall", "F1", "gold", "predicted", "matched"):
        table.add_column(name, justify="right")
    for row in rows:
        score = row.score
        counts = (str(score.gold), str(score.predicted), "" if score.matched is None else str(score.matched))
        name = "all" if row.label == ALL_LABELS else row.label
        table.add_row(name, row.metric, f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}", *counts)
    return table


def count_table(title: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> Table:
    """A small table whose last column is a number."""
    table = Table(title=title, title_justify="left")
    for name in columns[:-1]:
        table.add_column(name)
    table.add_column(columns[-1], justify="right")
    for row in rows:
        table.add_row(*map(str, row))
    return table
