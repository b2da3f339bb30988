"""``spanferry plan``, as its users meet it."""

import json
from pathlib import Path

import pytest

from flows.commands.conventions import EXIT_CODES
from pipeline_lib.corpus.samples import documents, marked, standoff
from tests.flows.commands.terminal import call
from tests.flows.tiny import QUICK, small_corpus

SETTINGS = [word for setting in QUICK for word in ("--set", setting)]
SHORT = ["--seconds", "0.2", *SETTINGS]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"), ("es", "en", "it"), count=3)


def test_the_terminal_shows_what_is_read_and_written_and_taken_and_by_what(corpus: Path) -> None:
    code, said = call("plan", "embedded", "--corpus", str(corpus), *SHORT)
    assert code == 0
    for word in (
        "to read",
        "in the store",
        "time",
        "words",
        "cost_matrices",
        "transport_plans",
        "distill",
        "2 workers",
        "tried 3 documents",
    ):
        assert word in said
    text = standoff(marked(documents()[0], "es"))[0]
    assert not any(line in said for line in text.split("\n") if line.strip())


def test_figures_are_one_object_and_add_up(corpus: Path) -> None:
    code, said = call("plan", "embedded", "--corpus", str(corpus), "--json", *SHORT)
    assert code == 0
    figures = json.loads(said)
    assert set(figures["languages"]) == {"es", "en", "it"} and figures["languages"]["it"]["documents"] == 3
    for part in ("gb", "hours"):
        total = figures[part].pop("total")
        assert total == pytest.approx(sum(figures[part].values())) and min(figures[part].values()) >= 0 < total
    assert figures["workers"] == 2 and figures["tokens_a_second"] == {} and figures["probe"]["documents"] == 3


def test_only_the_targets_that_are_named_are_counted_and_quiet_says_nothing(corpus: Path) -> None:
    code, said = call("plan", "embedded", "--corpus", str(corpus), "--targets", "IT", "--json", *SHORT)
    assert code == 0 and set(json.loads(said)["languages"]) == {"es", "it"}
    assert call("plan", "embedded", "--corpus", str(corpus), "--targets", "it", "--quiet", *SHORT) == (0, "")


def test_nothing_is_written(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(corpus.rglob("*"))
    assert call("plan", "embedded", "--corpus", str(corpus), "--quiet", *SHORT)[0] == 0
    assert sorted(corpus.rglob("*")) == before and list(tmp_path.iterdir()) == []


def test_a_run_that_takes_longer_than_allowed_is_declined_after_its_figures(corpus: Path) -> None:
    code, said = call("plan", "embedded", "--corpus", str(corpus), "--most-hours", "0", *SHORT)
    assert code == EXIT_CODES["PlanError"] == 8
    assert "in the store" in said
    last = said.splitlines()[-1]
    assert last.startswith("spanferry: profile embedded would take about ") and last.endswith(" hours on cpu, more than the 0 allowed")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["papers"], 2, "no profile"),
        (["embedded", "--set", "sharpen.rag=1"], 2, "nearest known one is sharpen.reg"),
        (["embedded", "--targets", "xx"], 4, "no documents in language xx"),
        (["embedded", "--source", "xx"], 4, "no documents in language xx"),
        (["embedded", "--targets", ","], 2, "name at least one language"),
        (["paper", "--set", "teachers.sentence.model="], 2, "setting teachers.sentence is required"),
    ],
)
def test_what_cannot_be_planned_is_one_line(arguments: list[str], code: int, reason: str, corpus: Path) -> None:
    ended, said = call("plan", *arguments, "--corpus", str(corpus), "--quiet")
    assert ended == code and reason in said


def test_a_corpus_that_is_not_there_is_an_error_of_the_corpus(tmp_path: Path) -> None:
    assert call("plan", "embedded", "--corpus", str(tmp_path / "none"), "--quiet") == (
        4,
        f"spanferry: no such folder: {tmp_path / 'none'}\n",
    )
