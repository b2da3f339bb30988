"""``spanferry check``, as its users meet it."""

from pathlib import Path

from tests.flows.commands.terminal import call
from tests.flows.tiny import small_corpus


def test_check_is_content_with_a_good_corpus(tmp_path: Path) -> None:
    code, said = call("check", str(small_corpus(tmp_path / "corpus", count=3)))
    assert code == 0
    assert "nothing rejected" in said


def test_check_changes_nothing_and_exits_with_three_when_something_is_rejected(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    (corpus / "es" / "empty.txt").write_text(" ", encoding="utf-8")
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    code, said = call("check", str(corpus))
    assert code == 3
    assert "empty_document" in said
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before
