"""Progress bars: a line a stage with its documents, its pace, the time that is left, and what was rejected. Fits 80 columns."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn
from rich.progress import Task as Bar
from rich.table import Column
from rich.text import Text

from flows import console
from flows.pace import amount, duration, pace
from flows.watch import ENDS, LISTENER
from flows.watch import Progress as ShardDone
from pipeline_lib.progress.stage_time import StageTime


@contextmanager
def progress_bars(quiet: bool) -> Iterator[None]:
    """Show a bar a stage while the context lasts."""
    if quiet:
        yield
        return
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[amount]}", justify="right"),
        TextColumn("{task.fields[pace]}", justify="right"),
        _Time(Column(no_wrap=True, justify="right")),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console.ERR, expand=True) as shown:
        bars = _Bars(shown)
        listening, ending = LISTENER.set(bars.shard), ENDS.set(bars.show)
        try:
            yield
        finally:
            LISTENER.reset(listening)
            ENDS.reset(ending)


class _Bars:
    """Stages as bars, in documents; a stage that counts none, since it works on a whole language pair at once, in shards."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._running: tuple[str, TaskID] | None = None

    def shard(self, done: ShardDone) -> None:
        if done.so_far is not None:
            self.show(done.so_far)

    def show(self, stage: StageTime) -> None:
        """A stage as it stands; one that has ended is never shown on the same bar again, since a run may have two of a name."""
        name, bar = self._running or ("", None)
        if bar is None or name != stage.stage:
            bar = self._bars.add_task(stage.stage, total=None, amount="", pace="", note="", stage=stage)
        counts = bool(stage.documents or stage.total)
        done, total = (stage.documents, stage.total) if counts else (stage.ended, stage.shards)
        rate = pace(stage)
        self._bars.update(
            bar,
            completed=done if stage.shards else 1,
            total=total or 1 if stage.shards else 1,
            amount=f"{amount(stage)} docs" if counts else amount(stage),
            pace=f"{rate}/s" if rate else "",
            note=_note(stage),
            stage=stage,
        )
        self._running = None if stage.curve else (stage.stage, bar)


class _Time(ProgressColumn):
    """The time that is left, counted down between two shards; of a stage that has ended, the time that it took."""

    def render(self, task: Bar) -> Text:
        stage: StageTime = task.fields["stage"]
        if stage.ended == stage.shards:
            return Text(duration(stage.seconds))
        left = stage.left
        if left is None:
            return Text(duration(task.elapsed or 0.0), style="dim")
        return Text(f"{duration(max(0.0, left + stage.seconds - (task.elapsed or 0.0)))} left")


def _note(stage: StageTime) -> str:
    """What else is to be said in a word or two."""
    said = ["reused"] if stage.all_reused else []
    return ", ".join([*said, *([f"{stage.rejects:,} rejects"] if stage.rejects else [])])
