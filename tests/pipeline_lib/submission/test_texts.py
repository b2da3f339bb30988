from pathlib import Path

import pytest

from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.submission.finished import SubmissionError
from pipeline_lib.submission.texts import texts_of_corpus, texts_of_run
from tests.pipeline_lib.corpus.trees import corpus
from tests.pipeline_lib.submission.runs import plain, write_run


def test_the_texts_of_a_corpus_are_read_as_a_run_reads_its_targets(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x\r\ny", "en/a.ann": b"T1\tX 3 4\ty\n", "en/bad.txt": b"\xff", "it/b.txt": b"z"})
    texts = texts_of_corpus(root)
    assert (texts.languages, texts.complete) == (["en", "it"], False)
    assert {name: document.read() for name, document in texts.of("en").items()} == {"a": "x\ny", "bad": None}


def test_no_text_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x"})
    documents = texts_of_corpus(root).of("en")
    (root / "en" / "a.txt").write_bytes(b"later")
    assert documents["a"].read() == "later"


def test_the_texts_of_a_run_go_by_their_official_names_and_entities(run: Path) -> None:
    texts = texts_of_run(run)
    assert (texts.languages, texts.complete) == (["en", "it", "nl", "sv", "ro", "cz"], True)
    document = texts.of("cz")["MultiClinNER-cz-test-symptom-9000"]
    assert (document.entity, document.read()) == ("symptom", "cz background without mentions")


def test_a_document_without_a_text_is_none(tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "|x|"), plain("en", "b", "|x|")])
    record = (tmp_path / "run.json").read_text("utf-8")
    (tmp_path / "run.json").write_text(record.replace("en/b.txt", "en/elsewhere.txt"), encoding="utf-8")
    assert list(texts_of_run(tmp_path).of("en")) == ["a"]


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError):
        texts_of_run(tmp_path)
    with pytest.raises(CorpusError):
        texts_of_corpus(tmp_path)
