"""``spanferry synth``, as its users meet it."""

import json
from pathlib import Path

import pytest

from flows.commands.conventions import EXIT_CODES
from pipeline_lib.corpus.synth import TARGETS
from tests.flows.commands.terminal import call


def languages(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_the_terminal_shows_what_was_written_and_where(tmp_path: Path) -> None:
    code, said = call("synth", "--documents", "3", "--out", str(tmp_path / "new" / "corpus"))
    assert code == 0
    assert " 3 docs " in said
    assert all(f"│ {lang} " in said for lang in ("es", *TARGETS))
    assert "characters of a document in es: " in said and "corpus: 42 files, " in said
    assert len(list((tmp_path / "new" / "corpus").rglob("synth-*"))) == 42


def test_the_figures_are_those_of_the_files(tmp_path: Path) -> None:
    code, said = call("synth", "--documents", "5", "--seed", "3", "--first", "11", "--languages", "cz", "--out", str(tmp_path), "--json")
    assert code == 0
    figures = json.loads(said)
    texts = sorted((tmp_path / "es").glob("*.txt"))
    lengths = sorted(len(text.read_bytes().decode("utf-8")) for text in texts)
    assert [text.stem for text in texts] == [f"synth-{number:06d}" for number in range(11, 16)]
    assert figures.pop("seconds") >= 0
    assert figures == {
        "documents": 5,
        "first": 11,
        "seed": 3,
        "languages": ["es", "cz"],
        "files": 20,
        "bytes": sum(path.stat().st_size for path in tmp_path.rglob("synth-*")),
        "mentions": {
            lang: sum(len(ann.read_text("utf-8").splitlines()) for ann in (tmp_path / lang).glob("*.ann")) for lang in ("es", "cz")
        },
        "characters": {"shortest": lengths[0], "median": lengths[2], "longest": lengths[-1]},
    }


def test_quiet_says_nothing(tmp_path: Path) -> None:
    assert call("synth", "--documents", "1", "--out", str(tmp_path), "--quiet") == (0, "")
    assert languages(tmp_path) == sorted(["es", *TARGETS])


@pytest.mark.parametrize("named", ["cz,it", " IT, cs ", "cz,cs,it,"])
def test_some_translations_may_be_named(named: str, tmp_path: Path) -> None:
    assert call("synth", "--documents", "1", "--out", str(tmp_path), "--languages", named, "--quiet") == (0, "")
    assert languages(tmp_path) == ["cz", "es", "it"]


@pytest.mark.parametrize(
    "wrong", [("--languages", "en,fr"), ("--languages", "es"), ("--languages", ","), ("--first", "0"), ("--seed", "-1")]
)
def test_what_cannot_be_meant_is_an_error_of_usage(wrong: tuple[str, str], tmp_path: Path) -> None:
    code, said = call("synth", "--documents", "1", "--out", str(tmp_path), *wrong)
    assert code == 2 and wrong[0] in said
    assert languages(tmp_path) == []


def test_a_folder_that_is_not_empty_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code, said = call("synth", "--documents", "1", "--out", str(tmp_path), "--quiet")
    assert code == EXIT_CODES["OutputError"]
    assert said == f"spanferry: {tmp_path} is not empty: choose another --out\n"
    assert languages(tmp_path) == ["mine"]
