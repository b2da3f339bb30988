"""The console script as a whole."""

import os
import subprocess
import sys
from pathlib import Path

from tests.flows.commands.terminal import call
from tests.flows.tiny import small_corpus


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    commands = (
        "demo",
        "plan",
        "run",
        "project",
        "check",
        "score",
        "compare",
        "evaluate-alignment",
        "show",
        "export",
        "validate",
        "publish",
        "store",
        "status",
        "gc",
        "synth",
    )
    assert all(f" {command} " in said for command in commands)


def test_a_server_that_does_not_answer_is_one_sentence_and_nobody_waits_for_it(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    arguments = [
        "run",
        "embedded",
        "--quiet",
        "--corpus",
        corpus,
        "--targets",
        "en",
        "--store",
        tmp_path / "store",
        "--out",
        tmp_path / "out",
    ]
    environment = {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 7
    [said] = ended.stderr.decode().splitlines()
    assert said.startswith("spanferry: Prefect's server does not answer") and said.endswith("run again")
