"""The commands of the roof: found by the console script, and ending as its other commands do."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments import commands
from deployments.commands import app
from tests.deployments.sites import PLAIN, written


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def test_the_entry_points_name_the_commands() -> None:
    project = tomllib.loads((Path(commands.__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"]["spanferry.commands"]
    assert set(points) == {"deploy", "serve"}
    for name, target in points.items():
        module, _, function = target.partition(":")
        assert getattr(import_module(module), function) is getattr(commands, name)


def test_help_names_both_commands() -> None:
    code, said = call("--help")
    assert code == 0 and "deploy" in said and "serve" in said


@pytest.mark.parametrize("command", ["deploy", "serve"])
def test_a_bad_site_file_ends_with_one_line_and_code_2(command: str, tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN.replace("targets", "target"))
    code, said = call(command, str(path))
    assert code == 2
    assert said == f"spanferry: {path}: collections.sample: unknown setting target; the nearest known one is targets\n"
