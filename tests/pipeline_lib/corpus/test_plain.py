"""The plain layout, a TSV a language, and trees of no layout."""

import os
from dataclasses import asdict
from pathlib import Path

import pytest

from data_contracts.corpus import REJECTS
from pipeline_lib.corpus.files import CorpusError, Discovery, TextFile
from pipeline_lib.corpus.layouts import discover
from pipeline_lib.corpus.plain import discover_tabular, discover_tree, find_table, holds_standoff
from tests.pipeline_lib.corpus.trees import corpus


def codes(found: Discovery) -> list[tuple[str, str]]:
    return [(problem.file, problem.code) for problem in found.problems]


def test_texts_are_found_with_their_annotations_sorted_by_document_then_language(tmp_path: Path) -> None:
    names = ["es/b.txt", "es/a.txt", "es/a.ann", "en/b.txt", "en/b.ann", "en/notes.md", "en/.DS_Store", "README.txt"]
    root = corpus(tmp_path, dict.fromkeys(names, b"x"))
    found = discover(root, ["es", "en"])
    assert found.files == [
        TextFile(root, "a", "es", "es/a.txt", "es/a.ann"),
        TextFile(root, "b", "en", "en/b.txt", "en/b.ann"),
        TextFile(root, "b", "es", "es/b.txt"),
    ]
    assert found.problems == []
    assert found == discover(root, ["en", "es", "en"])


def test_only_the_languages_asked_for_are_discovered(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x", "es/a.txt": b"x", "es/lone.ann": b""})
    assert [file.lang for file in discover(root, ["en"]).files] == ["en"]
    assert discover(root, ["en"]).problems == []


def test_unusable_files_are_rejects_that_can_be_printed(tmp_path: Path) -> None:
    root = corpus(
        tmp_path,
        {f"en/{name}": b"x" for name in ["fine.txt", "-x.txt", "a\tb.txt", "a\tb.ann", ".h.txt", "..txt", ".txt", ".ann", "lone.ann"]},
    )
    (root / os.fsdecode(b"en/caf\xe9.txt")).write_bytes(b"x")
    found = discover(root, ["en"])
    assert [file.document for file in found.files] == ["fine"]
    assert codes(found) == [
        ("en/-x.txt", "unsafe_name"),
        ("en/..txt", "unsafe_name"),
        ("en/.ann", "unsafe_name"),
        ("en/.h.txt", "unsafe_name"),
        ("en/.txt", "unsafe_name"),
        ("en/a\\tb.ann", "unsafe_name"),
        ("en/a\\tb.txt", "unsafe_name"),
        ("en/caf\\udce9.txt", "unsafe_name"),
        ("en/lone.ann", "missing_text"),
    ]
    REJECTS.check(REJECTS.table([{"stage": "read", **asdict(problem)} for problem in found.problems]))


def test_a_tree_drops_no_file_whose_name_is_dots(tmp_path: Path) -> None:
    names = ["...txt", "..ann", ".txt", "x/.ann"]
    found = discover_tree(corpus(tmp_path, dict.fromkeys(names, b"x")))
    assert sorted(codes(found)) == [(name, "unsafe_name") for name in names]


def test_a_symlink_may_stay_inside_the_corpus_but_not_leave_it(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    root = corpus(tmp_path / "corpus", {"en/a.txt": b"x", "en/b.txt": b"x"})
    (root / "en/a.ann").symlink_to(tmp_path / "outside")
    (root / "en/c.txt").symlink_to(tmp_path / "outside")
    (root / "en/c.ann").write_bytes(b"")
    (root / "en/d.txt").symlink_to(root / "en/a.txt")
    found = discover(root, ["en"])
    assert [(file.document, file.annotations) for file in found.files] == [("a", None), ("b", None), ("d", None)]
    assert codes(found) == [("en/a.ann", "outside_corpus"), ("en/c.txt", "outside_corpus")]


def test_a_corpus_may_itself_be_reached_through_a_symlink(tmp_path: Path) -> None:
    corpus(tmp_path / "real", {"en/a.txt": b"x"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert codes(discover(tmp_path / "link", ["en"])) == []


@pytest.mark.parametrize(
    ("tables", "named", "found"),
    [
        ([], None, None),
        (["en.tsv", "gold_en.tsv"], None, "en.tsv"),
        (["gold_en.tsv", "gold_es.tsv", "manifest.tsv"], None, "gold_en.tsv"),
        (["mentions-en.tsv"], None, "mentions-en.tsv"),
        (["mentions.tsv"], None, None),
        (["mentions.tsv"], "mentions.tsv", "mentions.tsv"),
    ],
)
def test_the_tsv_of_a_language_is_found_by_its_name_or_named(
    tmp_path: Path, tables: list[str], named: str | None, found: str | None
) -> None:
    assert find_table(corpus(tmp_path, dict.fromkeys([*tables, "en/a.txt"], b"x")), "en", named) == found


@pytest.mark.parametrize(
    ("tables", "named"),
    [
        (["a_en.tsv", "b_en.tsv"], None),
        (["en.tsv"], "it.tsv"),
        (["en.tsv"], "../outside.tsv"),
        (["en.tsv"], f"{'x' * 300}.tsv"),
        (["en.tsv"], "en\0.tsv"),
    ],
)
def test_a_tsv_that_is_ambiguous_absent_or_outside_is_an_error(tmp_path: Path, tables: list[str], named: str | None) -> None:
    (tmp_path / "outside.tsv").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"corpus\.annotations"):
        find_table(corpus(tmp_path / "corpus", dict.fromkeys([*tables, "en/a.txt"], b"x")), "en", named)


def test_every_text_of_a_tabular_language_shares_its_table(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["en/a.txt", "en/b.txt", "en.tsv"], b"x"))
    assert [(file.document, file.annotations) for file in discover_tabular(root, "en", "en.tsv").files] == [
        ("a", "en.tsv"),
        ("b", "en.tsv"),
    ]
    assert not holds_standoff(root, "en")


def test_a_tree_of_no_layout_is_read_to_its_leaves(tmp_path: Path) -> None:
    names = ["a.txt", "x/b.txt", "x/b.ann", "x/y/c.txt", "x/y/lone.ann", "x/y/-d.txt"]
    found = discover_tree(corpus(tmp_path, dict.fromkeys(names, b"x")))
    assert [(file.document, file.lang, file.annotations) for file in found.files] == [
        ("a", "", None),
        ("x/b", "", "x/b.ann"),
        ("x/y/c", "", None),
    ]
    assert codes(found) == [("x/y/-d.txt", "unsafe_name"), ("x/y/lone.ann", "missing_text")]


def test_upper_case_suffixes_and_names_that_cannot_be_written_are_rejected(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["en/a.txt", "en/b.TXT", "en/a.ANN"], b"x"))
    assert codes(discover(root, ["en"])) == [("en/a.ANN", "upper_case_suffix"), ("en/b.TXT", "upper_case_suffix")]
    (root / os.fsdecode(b"\xfe_en.tsv")).write_bytes(b"x")
    assert find_table(root, "en", None) is None


def test_what_lacks_its_text_is_told_in_the_order_of_the_files_whatever_their_hash(tmp_path: Path) -> None:
    names = sorted(f"x/{number}.ann" for number in range(20))
    found = discover_tree(corpus(tmp_path, dict.fromkeys(names, b"")))
    assert [problem.file for problem in found.problems] == names
