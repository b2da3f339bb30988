"""``spanferry publish``, as its users meet it."""

import json
from hashlib import sha256
from pathlib import Path

from flows.commands.conventions import EXIT_CODES
from pipeline_lib.storage.store import Store
from tests.flows.commands.terminal import call
from tests.flows.students import FITTED, PAPER, PINNED


def test_the_terminal_says_whose_student_lies_where(students: Store, tmp_path: Path) -> None:
    code, said = call("publish", PINNED, "--store", students.root, "--out", str(tmp_path / "model"))
    assert code == 0
    first, second = said.splitlines()
    assert first.startswith("student student/es-en/") and first.endswith(f" of run {PAPER}")
    assert second.startswith(f"wrote {tmp_path / 'model'}: 8 files, ") and second.endswith("; its card: README.md")


def test_json_lists_every_file_with_its_hash(students: Store, tmp_path: Path) -> None:
    code, said = call("publish", PAPER, "--store", students.root, "--out", str(tmp_path), "--target", "en", "--json")
    figures = json.loads(said)
    assert code == 0 and (figures["run"], figures["model"], figures["out"]) == (PAPER, PAPER, str(tmp_path))
    assert figures["files"] == {path.name: sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}


def test_quiet_says_nothing(students: Store, tmp_path: Path) -> None:
    assert call("publish", PAPER, "--store", students.root, "--out", str(tmp_path), "--quiet") == (0, "")
    assert (tmp_path / "README.md").is_file()


def test_what_cannot_be_published_is_one_line_and_its_exit_code(students: Store, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    code, said = call("publish", FITTED, "--store", students.root, "--out", out)
    assert code == EXIT_CODES["ModelError"] and len(said.splitlines()) == 1 and "plain transformers cannot read" in said
    code, said = call("publish", "run-none", "--store", students.root, "--out", out)
    assert (code, said) == (5, "spanferry: no run run-none: give a run's id in this store or its output folder\n")
    code, said = call("publish", PAPER, "--store", students.root, "--out", students.root)
    assert (code, said) == (5, f"spanferry: {students.root} is not empty: choose another --out\n")
    assert call("publish", PAPER, "--out", out)[0] == 2
    assert not list(tmp_path.iterdir())
