"""The live view, as it stands on the terminal when the run has ended."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from flows import console
from flows.bars import progress_bars
from flows.watch import ENDS, LISTENER, Progress
from pipeline_lib.progress.stage_time import Meter, StageTime


def bars(monkeypatch: pytest.MonkeyPatch, *stages: StageTime, width: int = 80) -> list[str]:
    """What stays, a line a stage; a stage is told by its last shard, and by its end if it has ended."""
    file = io.StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=file, width=width, color_system=None))
    with progress_bars(False):
        listener, end = LISTENER.get(), ENDS.get()
        assert listener and end
        for stage in stages:
            listener(Progress(stage.stage, stage.ended, stage.shards, stage.documents, False, replace(stage, curve=())))
            if stage.curve:
                end(stage)
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


def at_work(stage: str = "align", rejects: int = 0) -> StageTime:
    return StageTime(stage, 180.0, 11, 1, ended=12, shards=64, documents=5640, fresh=5616, total=13128, rejects=rejects)


def ended(stage: str, documents: int = 200, seconds: float = 8.0, reused: int = 0) -> StageTime:
    fresh = 0 if reused == 2 else documents
    return StageTime(stage, seconds, 2 - reused, reused, 0, 2, 2, documents, fresh, documents, curve=((0.0, 0), (seconds, documents)))


def test_a_stage_at_work_shows_documents_pace_time_left_and_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = bars(monkeypatch, at_work(rejects=3))
    assert line.startswith("align ")
    assert line.endswith("5,640/13,128 docs 31.2/s 7 min left 3 rejects"), "no second has passed of the bar's own time"


def test_a_stage_that_has_ended_shows_its_mean_pace_and_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = bars(monkeypatch, ended("cost"))
    assert line.startswith("cost ") and line.endswith("200 docs 25.0/s 8.0 s")


def test_a_stage_that_speaks_of_no_document_counts_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = bars(monkeypatch, StageTime("fit", 60.0, 2, 0, ended=2, shards=3))
    assert "2/3 shards" in line and "left" in line and "/s" not in line


@pytest.mark.parametrize(("reused", "said"), [(2, True), (1, False), (0, False)])
def test_a_bar_says_when_all_of_it_was_reused(monkeypatch: pytest.MonkeyPatch, reused: int, said: bool) -> None:
    (line,) = bars(monkeypatch, ended("fit", reused=reused))
    assert line.endswith("reused") is said


def test_every_stage_has_a_bar_of_its_own_and_so_has_a_second_one_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = bars(monkeypatch, ended("scan"), ended("cost"), ended("cost"), at_work("cost"))
    assert [line.split()[0] for line in lines] == ["scan", "cost", "cost", "cost"]


def test_a_long_run_fits_80_columns_and_loses_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    long = StageTime("ingest", 9000.0, 100, 20, ended=120, shards=420, documents=123456, fresh=120000, total=210000, rejects=1234)
    lines = bars(monkeypatch, long, StageTime("distill with gold", 9000.0, 1, 0, ended=1, shards=6), ended("export", 30000, 7800.0))
    assert max(map(len, lines)) <= 80
    for figure in ("123,456/210,000 docs", "13.3/s", "left", "1,234 rejects"):
        assert figure in lines[0]
    assert "2 h 10 min" in lines[2]


def test_a_bar_stands_before_the_first_shard_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=file, width=80, color_system=None))
    with progress_bars(False):
        end = ENDS.get()
        assert end
        end(Meter("fit", 6).now())
    assert "fit" in file.getvalue() and "0/6 shards" in file.getvalue()


def test_quiet_shows_nothing_and_nobody_listens(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bars(True):
        assert LISTENER.get() is None and ENDS.get() is None
    assert capfd.readouterr() == ("", "")


def test_an_error_ends_the_bars_and_nobody_listens_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "ERR", Console(file=io.StringIO(), width=80))
    with pytest.raises(ValueError, match="stop"), progress_bars(False):
        assert LISTENER.get() is not None
        raise ValueError("stop")
    assert LISTENER.get() is None and ENDS.get() is None
