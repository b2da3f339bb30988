"""The console script as a whole."""

from tests.flows.commands.terminal import call


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    commands = ("demo", "run", "check", "score", "compare", "evaluate-alignment", "show", "export", "validate", "store", "gc")
    assert all(f" {command} " in said for command in commands)
