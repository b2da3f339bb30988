"""How the tests of the commands call the console script."""

from typer.testing import CliRunner

from flows.cli import app


def call(*arguments: str) -> tuple[int, str]:
    """Exit code and output of ``spanferry`` with ``arguments``; a traceback is a failure."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})
    assert "Traceback" not in result.output
    return result.exit_code, result.output
