"""How a failure ends on the terminal."""

import pytest
import typer

from flows.commands.conventions import EXIT_CODES, errors
from pipeline_lib.corpus.files import CorpusError


def test_an_expected_failure_is_one_line_and_the_exit_code_of_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, errors():
        raise CorpusError("no such folder: x")
    assert caught.value.exit_code == EXIT_CODES["CorpusError"]
    assert capsys.readouterr().err == "spanferry: no such folder: x\n"


def test_a_failure_that_nobody_expected_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="surprise"), errors():
        raise ValueError("surprise")
