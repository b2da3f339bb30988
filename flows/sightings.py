"""What a store shows of its runs, for the terminal and as JSON. Fits 80 columns."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows.pace import amount, duration, pace, sentence
from pipeline_lib.progress.sight import Sighting, View
from pipeline_lib.progress.stage_time import StageTime


def view_figures(seen: View) -> dict[str, Any]:
    """Those at work, and the last that ended."""
    return {
        "store": seen.store.root,
        "runs": [run_figures(run) for run in seen.runs()],
        "without_progress": [vars(holder) for holder in seen.unrecorded()],
    }


def run_figures(run: Sighting) -> dict[str, Any]:
    """One run; times in ISO 8601."""
    told = run.progress
    return {
        "id": run.id,
        "name": told.name,
        "state": run.state,
        "host": told.host,
        "pid": told.pid,
        "since": _iso(told.since),
        "ended": None if told.ended is None else _iso(told.ended),
        "last_sign_of_life": _iso(run.seen),
        "stages": [_stage_figures(stage) for stage in run.stages],
    }


def view(seen: View) -> RenderableType:
    """A few lines a run: those at work first, then the last that ended."""
    said = ["\n".join([_headline(run), *_unfinished(run)]) for run in seen.runs()]
    said += [f"at work: {holder}" for holder in seen.unrecorded()]
    return Text("\n\n".join(said) or "no run is at work, and none has left a record of its progress")


def run_view(run: Sighting) -> RenderableType:
    """Its state in a sentence, and a row a stage."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("stage", no_wrap=True)
    for name in ("documents", "per s", "time", "built", "reused", "rejects"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in run.stages:
        shards = (f"{stage.built:,}", f"{stage.reused:,}", f"{stage.rejects:,}" if stage.rejects else "")
        table.add_row(stage.stage, amount(stage), pace(stage), _time(run, stage), *shards)
    return Group(Text(_headline(run)), table)


def _unfinished(run: Sighting) -> list[str]:
    """The stage that it is or was at, if it did not come to its end."""
    return [f"{stage.stage}: {sentence(stage)}" for stage in run.stages[-1:] if run.state != "finished"]


def _time(run: Sighting, stage: StageTime) -> str:
    """What a stage took, or still takes."""
    if run.state == "at work" and stage.left:
        return f"{duration(stage.left)} left"
    return duration(stage.seconds)


def _headline(run: Sighting) -> str:
    told = run.progress
    where, began, ended = f"on {told.host} (pid {told.pid})", _clock(told.since), _clock(told.ended or run.seen)
    match run.state:
        case "at work":
            state = f"at work {where} since {began}, last sign of life {duration(run.quiet)} ago"
        case "killed":
            state = f"began {where} at {began}; no sign of life since {_clock(run.seen)}: start it again, and it goes on where it was"
        case "failed":
            state = f"failed at {ended}; it began {where} at {began}"
        case "finished":
            state = f"finished at {ended} after {duration((told.ended or run.seen) - told.since)}"
    return f"{run.id}: {told.name}\n{state}"


def _stage_figures(stage: StageTime) -> dict[str, Any]:
    figures = {**asdict(stage), "began": _iso(stage.began), "documents_per_second": stage.rate, "seconds_left": stage.left}
    figures.pop("curve")
    return figures


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().isoformat(timespec="seconds")


def _clock(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
