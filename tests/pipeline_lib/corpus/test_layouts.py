"""Which layout a folder has, and what each finds."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline_lib.corpus.files import CorpusError, list_folder
from pipeline_lib.corpus.layouts import CorpusConfig, discover, find_layout, languages, resolve_language
from tests.pipeline_lib.corpus.trees import corpus

FOLDER = "MultiClinNER-{lang}-test-disease"
NER = f"MultiClinNER/MultiClinNER-{{lang}}/MultiClinNER-{{lang}}-test/{FOLDER}/txt/{FOLDER}-0001.txt"


@pytest.mark.parametrize(
    ("names", "config", "annotations"),
    [
        (["en/a.txt", "en/a.ann", "en.tsv"], {}, "en/a.ann"),
        (["en/a.txt"], {}, None),
        (["en/a.txt", "gold_en.tsv"], {}, "gold_en.tsv"),
        (["en/a.txt", "manifest.tsv"], {}, None),
        (["en/a.txt", "gold_en.tsv", "es/a.txt", "es/a.ann"], {}, "gold_en.tsv"),
        (["en/a.txt", "en/a.ann", "gold.tsv"], {"annotations": {"en": "gold.tsv"}}, "gold.tsv"),
        (["en/a.txt", "en/a.ann", "gold.tsv", "es/a.txt"], {"annotations": {"es": "gold.tsv"}}, "en/a.ann"),
        (["en/a.txt", "en/a.ann", "gold_en.tsv"], {"layout": "tsv"}, "gold_en.tsv"),
        (["en/a.txt", "gold_en.tsv"], {"layout": "plain"}, None),
        ([NER.format(lang="en"), "en/a.txt", "en/a.ann"], {}, None),
    ],
)
def test_what_annotates_a_text_is_what_lies_there_unless_it_is_told(
    tmp_path: Path, names: list[str], config: dict[str, object], annotations: str | None
) -> None:
    (file,) = discover(corpus(tmp_path, dict.fromkeys(names, b"x")), ["en"], CorpusConfig.model_validate(config)).files
    assert file.annotations == annotations


@pytest.mark.parametrize(
    ("names", "config", "layout"),
    [
        (["en/a.txt", "en/a.ann"], {}, "by language"),
        (["en/a.txt", "en/a.ann"], {"layout": "tsv"}, "tsv"),
        ([NER.format(lang="en"), "en/a.txt", "en/a.ann"], {}, "multiclin"),
        ([NER.format(lang="en"), "en/a.txt", "en/a.ann"], {"layout": "plain"}, "plain"),
        (["x/a.txt", "files.tsv"], {"files": "files.tsv"}, "listed"),
    ],
)
def test_the_layout_is_what_the_folder_looks_like_unless_it_is_told(
    tmp_path: Path, names: list[str], config: dict[str, object], layout: str
) -> None:
    assert find_layout(corpus(tmp_path, dict.fromkeys(names, b"x")), CorpusConfig.model_validate(config)) == layout


def test_a_table_of_a_language_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["en/a.txt", "fr.tsv"], b"x"))
    with pytest.raises(CorpusError, match="no documents in language fr"):
        discover(root, ["en"], CorpusConfig(annotations={"fr": "fr.tsv"}))


@pytest.mark.parametrize(("there", "asked"), [("EN", "en"), ("en", "EN"), ("CZ", "cs")])
def test_case_tells_no_languages_apart_and_the_corpus_own_is_kept(tmp_path: Path, there: str, asked: str) -> None:
    assert resolve_language(corpus(tmp_path, {f"{there}/a.txt": b"x"}), asked) == there


@pytest.mark.parametrize("label", ["", "*", "MY LABEL", "A\nB"])
def test_an_alias_must_be_a_label(label: str) -> None:
    with pytest.raises(ValidationError, match="a label is one printable word"):
        CorpusConfig(aliases={"D": label})


@pytest.mark.parametrize(("there", "asked"), [("cz", "cs"), ("cs", "cz"), ("cz", "cz"), ("cs", "cs")])
def test_czech_is_found_under_either_code_and_keeps_the_corpus_own(tmp_path: Path, there: str, asked: str) -> None:
    root = corpus(tmp_path, {f"{there}/a.txt": b"x"})
    assert resolve_language(root, asked) == there
    assert [file.lang for file in discover(root, [asked, there]).files] == [there]


def test_a_language_without_documents_is_an_error_that_names_those_found(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x", "es/a.txt": b"x", "it/a.ann": b"x", ".git/a.txt": b"x"})
    (root / "nl").mkdir()
    assert languages(root) == ["en", "es"]
    for code in ["it", "nl", "sv", "../en", ".git"]:
        with pytest.raises(CorpusError, match="the corpus has: en, es"):
            discover(root, [code])


def test_a_folder_that_is_no_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        discover(tmp_path / "absent", ["en"])
    with pytest.raises(CorpusError, match="no language"):
        discover(tmp_path, ["en"])


def test_czech_of_a_multiclin_tree_is_found_under_either_code(tmp_path: Path) -> None:
    root = corpus(tmp_path, {NER.format(lang=lang): b"x" for lang in ("es", "cz")})
    assert languages(root) == ["cz", "es"]
    assert [(file.document, file.lang) for file in discover(root, ["cs"]).files] == [("test-disease-0001", "cz")]


def test_a_list_of_files_finds_its_languages(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"files.tsv": b"document\tlang\tfile\nd\tes\ta.txt\nd\ten\tb.txt\n", "a.txt": b"x", "b.txt": b"x"})
    config = CorpusConfig(files="files.tsv")
    assert languages(root, config) == ["en", "es"]
    assert [(file.document, file.file) for file in discover(root, ["en"], config).files] == [("d", "b.txt")]


def test_the_listed_layout_needs_its_list(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.files"):
        discover(corpus(tmp_path, {"en/a.txt": b"x"}), ["en"], CorpusConfig(layout="listed"))


def test_each_folder_of_a_language_is_listed_once_for_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = corpus(tmp_path, dict.fromkeys(["es/a.txt", "es/a.ann", "en/a.txt"], b"x"))
    listed: list[str] = []
    monkeypatch.setattr("pipeline_lib.corpus.plain.list_folder", lambda root, path: [listed.append(path.name), list_folder(root, path)][1])
    assert len(discover(root, ["es", "en"]).files) == 2
    assert listed == ["en", "es"]
