"""Clinical text goes into the store's tables and the outputs, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.tiny import QUICK, small_corpus

CANARY = "zanahoriaquebradiza"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus in which every text, and every kind of bad file, holds the canary."""
    root = tmp_path_factory.mktemp("privacy")
    corpus = small_corpus(root / "corpus")
    for path in corpus.glob("*/*.txt"):
        path.write_bytes(path.read_bytes() + f" {CANARY}.".encode())
    bad = {
        "es/not-utf8.txt": f"{CANARY} \xff".encode("latin-1"),
        "en/not-utf8.txt": CANARY.encode(),
        "es/bad-lines.txt": f"Un {CANARY} agudo.".encode(),
        "en/bad-lines.txt": f"An acute {CANARY}.".encode(),
        "es/bad-lines.ann": "T1 @\nT2\tDISEASE 0 5\t@\nT3\tDISEASE x y\t@\nT4\tDISEASE 3 22\t@\n@\n".replace("@", CANARY).encode(),
        "en/bad-lines.ann": f"T1\tDISEASE 0 5\t{CANARY}\n".encode(),
        "es/bad-ann.txt": CANARY.encode(),
        "en/bad-ann.txt": CANARY.encode(),
        "es/bad-ann.ann": f"T1\tDISEASE 0 19\t{CANARY}\xff\n".encode("latin-1"),
    }
    for name, content in bad.items():
        (corpus / name).write_bytes(content)
    return root


def spanferry(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PREFECT_HOME": str(root / "prefect"), "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG"}
    for name in ("PREFECT_API_URL", "PREFECT_API_DATABASE_CONNECTION_URL"):
        environment.pop(name, None)
    return subprocess.run([sys.executable, "-m", "flows.cli", *arguments], env=environment, capture_output=True, check=False, timeout=300)


def run_arguments(root: Path, *more: str) -> list[str]:
    settings = [word for setting in QUICK for word in ("--set", setting)]
    return ["run", "embedded", "--corpus", str(root / "corpus"), "--targets", "en", "--store", str(root / "store"), *settings, *more]


def files_with_canary(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes())
    return {path.relative_to(folder).as_posix() for path in found}


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
    assert len(list((root / "store" / "collections").iterdir())) == 2, "the last run and the model"
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
