"""How a failure ends on the terminal."""

import errno
from pathlib import Path

import pytest
import typer

from flows.commands.conventions import EXIT_CODES, OutputError, errors, save
from pipeline_lib.corpus.files import CorpusError


def test_an_expected_failure_is_one_line_and_the_exit_code_of_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, errors():
        raise CorpusError("no such folder: x")
    assert caught.value.exit_code == EXIT_CODES["CorpusError"]
    assert capsys.readouterr().err == "spanferry: no such folder: x\n"


def test_a_failure_that_nobody_expected_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="surprise"), errors():
        raise ValueError("surprise")


@pytest.mark.parametrize(("file", "place"), [("/out/run.json", "/out/run.json"), (None, "temporary files")])
def test_a_full_disk_is_one_line_that_names_the_place(file: str | None, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, errors():
        raise OSError(errno.ENOSPC, "full", file)
    assert caught.value.exit_code == EXIT_CODES["OutputError"]
    said = capsys.readouterr().err
    assert said.startswith(f"spanferry: {place}") and said.endswith(": No space left on device\n") and said.count("\n") == 1


def test_an_error_of_the_system_that_is_no_disk_s_is_not_hidden() -> None:
    with pytest.raises(FileNotFoundError), errors():
        raise FileNotFoundError(errno.ENOENT, "surprise", "x")


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b.tsv", "ñ\n")
    assert (tmp_path / "a" / "b.tsv").read_bytes() == "ñ\n".encode()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"b\.tsv: cannot be written"):
        save(tmp_path / "a" / "b.tsv", "")
