"""The lines of Python in a model card, run as they are written, where nothing of spanferry can be imported."""

import subprocess
import sys
import sysconfig
from ast import literal_eval
from collections.abc import Sequence
from pathlib import Path

# -S leaves out the .pth file that installs a checkout, -I the current folder and PYTHONPATH.
ALONE = """
import os, sys
from importlib.util import find_spec
sys.path += sys.argv[1].split(os.pathsep)
assert not any(find_spec(name) for name in ("data_contracts", "pipeline_lib", "tasks", "flows")), "spanferry is here"
for folder in sys.argv[2:]:
    os.chdir(folder)
    lines = open("README.md", encoding="utf-8").read().split("```python\\n")[1].split("```")[0]
    exec(compile(lines, "README.md", "exec"), {})
"""


def run_lines(folders: Sequence[Path]) -> list[list[tuple[str, str]]]:
    """What the card in each folder prints: the pairs of words that it aligns. One process for all: it takes seconds to start."""
    packages = ":".join(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))
    command = [sys.executable, "-I", "-S", "-c", ALONE, packages, *map(str, folders)]
    ended = subprocess.run(command, cwd="/", capture_output=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stderr.decode()
    return [literal_eval(line) for line in ended.stdout.decode().splitlines()]
