"""``run --support``, end to end: a tagger's mentions change projections; without them nothing changes."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.pipeline import run_pipeline
from flows.watch import LISTENER, Progress
from pipeline_lib.corpus.samples import documents
from tests.flows.commands.terminal import call
from tests.flows.tiny import built, contents, quick, run, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")
CONFIG = quick("shards.small=2", "score.replicates=50")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    """A finished run without support: ``corpus``, ``store`` and ``out``."""
    root = tmp_path_factory.mktemp("support")
    run(small_corpus(root / "corpus", count=4), root, config=CONFIG)
    return root


@pytest.fixture(scope="module")
def tagger(plain: Path) -> Path:
    """A tagger that finds all that the gold holds; one file is of no document of the run, one line is no mention."""
    shutil.copytree(plain / "corpus" / "en", plain / "tagger" / "en", ignore=shutil.ignore_patterns("*.txt"))
    (plain / "tagger" / "en" / "other.ann").write_bytes(b"T1\tDISEASE 0 5\tfever\n")
    with (plain / "tagger" / "en" / f"{documents()[0]}.ann").open("ab") as file:
        file.write(b"T999\tDISEASE 0 1\t\xe2\x82\xac\n")
    return plain / "tagger"


@pytest.fixture(scope="module")
def supported(plain: Path, tagger: Path) -> list[Progress]:
    return run_with(plain, tagger)


def run_with(root: Path, support: Path | None, out: str = "supported") -> list[Progress]:
    events: list[Progress] = []
    token = LISTENER.set(events.append)
    try:
        given = None if support is None else str(support)
        run_pipeline(CONFIG, str(root / "corpus"), "es", ["en"], str(root / "store"), str(root / out), support=given)
    finally:
        LISTENER.reset(token)
    return events


def record(root: Path, out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / out / "run.json").read_text("utf-8"))
    return found


def strict(root: Path, out: str) -> float:
    scores = json.loads((root / out / "scores.json").read_text("utf-8"))
    return float(next(row["f1"] for row in scores if (row["label"], row["metric"]) == ("*", "strict")))


def test_a_tagger_that_is_right_makes_projections_better(plain: Path, supported: list[Progress]) -> None:
    before, after = (pl.read_parquet(plain / out / "projections.parquet") for out in ("out", "supported"))
    assert before.height == after.height
    assert not before.select("starts", "ends").equals(after.select("starts", "ends"))
    assert strict(plain, "supported") > strict(plain, "out")


def test_the_record_says_that_support_was_used_and_how_much(plain: Path, supported: list[Progress]) -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (plain / "corpus" / "en").glob("*.ann"))
    found = record(plain, "supported")
    assert found["support"]["mentions"] == lines
    assert {key.split("/")[0] for key in found["support"]["artifacts"]} == {"support"}
    assert found["run"] != record(plain, "out")["run"]


def test_what_of_it_was_not_taken_is_rejected_by_its_code(plain: Path, supported: list[Progress]) -> None:
    rejects = pl.read_parquet(plain / "supported" / "rejects.parquet").filter(pl.col("stage") == "support")
    assert sorted(rejects.select("file", "code").rows()) == [
        (f"en/{documents()[0]}.ann", "surface_mismatch"),
        ("en/other.ann", "unknown_document"),
    ]


def test_nothing_but_what_depends_on_it_is_built(supported: list[Progress]) -> None:
    again = {stage for stage, number in built(supported).items() if number}
    assert again == {"support", "candidates", "consistency", "project", "match", "score"}


def test_without_support_there_is_no_such_stage_and_nothing_changes(plain: Path, supported: list[Progress]) -> None:
    events = run_with(plain, None, out="again")
    assert contents(plain / "again") == contents(plain / "out")
    assert set(built(events).values()) == {0}
    assert "support" not in built(events) and "support" not in record(plain, "out")


def test_a_changed_file_builds_its_own_shard_again(plain: Path, tagger: Path, supported: list[Progress], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(plain, copy)
    path = copy / "tagger" / "en" / f"{documents()[1]}.ann"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    number = built(run_with(copy, copy / "tagger"))
    assert (number["support"], number["candidates"]) == (1, 1)
    assert number["consistency"] == 1 and number["cost"] == 0


def test_the_command_names_the_language_that_has_none(plain: Path, tagger: Path) -> None:
    arguments = ["run", "embedded", "--corpus", str(plain / "corpus"), "--store", str(plain / "store"), "--out", str(plain / "none")]
    code, said = call(*arguments, "--targets", "en,es", "--support", str(tagger))
    assert code == 4
    assert "has nothing for es" in said.replace("\n", " ")
    assert not (plain / "none").exists()
