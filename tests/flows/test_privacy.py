"""Clinical text goes into the store's tables and the outputs, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canary import CANARY, canary_corpus, files_with_canary
from tests.flows.tiny import QUICK


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("privacy")
    canary_corpus(root / "corpus")
    return root


def spanferry(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PREFECT_HOME": str(root / "prefect"), "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG"}
    for name in ("PREFECT_API_URL", "PREFECT_API_DATABASE_CONNECTION_URL"):
        environment.pop(name, None)
    return subprocess.run([sys.executable, "-m", "flows.cli", *arguments], env=environment, capture_output=True, check=False, timeout=300)


def run_arguments(root: Path, *more: str) -> list[str]:
    settings = [word for setting in QUICK for word in ("--set", setting)]
    return ["run", "embedded", "--corpus", str(root / "corpus"), "--targets", "en", "--store", str(root / "store"), *settings, *more]


def test_the_canary_stays_in_tables_and_outputs(root: Path) -> None:
    done = spanferry(root, *run_arguments(root, "--out", str(root / "out")))
    assert done.returncode == 0, done.stderr.decode()
    # A server that holds a run with its artifacts and events, logs at DEBUG, and the terminal.
    server = b"".join(path.read_bytes() for path in (root / "prefect").glob("prefect.db*"))
    assert {name for name in (b"spanferry-scores", b"spanferry-rejects", b"prefect.artifact.created") if name not in server} == set()
    assert files_with_canary(root / "prefect") == set()
    assert CANARY.encode() not in done.stdout + done.stderr
    leaks = {
        name
        for name in files_with_canary(root / "out")
        if not name.endswith((".txt", ".ann", "run.tsv", "projections.parquet", "carried_lines.parquet"))
    }
    assert leaks == set()
    assert any(name.endswith(".txt") for name in files_with_canary(root / "out"))
    assert [name for name in files_with_canary(root / "store") if name.endswith(".json")] == []
    assert len(list((root / "store" / "collections").iterdir())) == 3, "the last run, its tables and the model"
    assert [path for path in root.rglob("*") if CANARY in path.name] == []


def test_the_canary_is_not_in_what_a_failing_run_says(root: Path) -> None:
    blocked = root / "blocked"
    blocked.write_text("a file where the output folder should be", encoding="utf-8")
    failed = spanferry(root, *run_arguments(root, "--out", str(blocked)))
    assert failed.returncode == 5
    assert CANARY.encode() not in failed.stdout + failed.stderr
    assert files_with_canary(root / "prefect") == set()


def test_check_names_files_and_rules_and_no_text(root: Path) -> None:
    sheet = root / "findings.csv"
    checked = spanferry(root, "check", str(root / "corpus"), "--csv", str(sheet), "--json")
    assert checked.returncode == 3
    assert b"surface_mismatch" in checked.stdout and b"surface_mismatch" in sheet.read_bytes()
    assert CANARY.encode() not in sheet.read_bytes()
    assert CANARY.encode() not in checked.stdout + checked.stderr
