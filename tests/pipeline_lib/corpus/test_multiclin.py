"""The MultiClin layout, found by pattern wherever it lies."""

import os
from pathlib import Path

import pytest

from pipeline_lib.corpus.files import Discovery
from pipeline_lib.corpus.multiclin import discover_multiclin, find_folders
from tests.pipeline_lib.corpus.trees import corpus


def below(folder: str, *names: str) -> dict[str, bytes]:
    """Files of one entity folder; ``*`` stands for the folder's name."""
    name = folder.rsplit("/", 1)[-1]
    return {f"{folder}/{file.replace('*', name)}": b"x" for file in names}


def only(root: Path) -> Discovery:
    (folder,) = find_folders(root)
    return discover_multiclin(root, folder).ordered()


@pytest.mark.parametrize("above", ["", "MultiClinNER/MultiClinNER-en/MultiClinNER-en-train/", "some/other/root/"])
@pytest.mark.parametrize("name", ["MultiClinNER-en-train-disease", "MultiClinCorpus-en-train-disease", "multi-clin-en-train-disease"])
def test_a_folder_is_known_by_its_name_not_by_its_place(tmp_path: Path, above: str, name: str) -> None:
    root = corpus(tmp_path, below(f"{above}{name}", "txt/*-0007.txt", "ann/*-0007.ann", "tsv/*.tsv"))
    (file,) = only(root).files
    assert (file.document, file.lang, file.split, file.entity) == ("train-disease-0007", "en", "train", "disease")
    assert file.name == f"{name}-0007"
    assert file.annotations == f"{above}{name}/ann/{name}-0007.ann"


def test_folders_are_told_from_their_parents_and_from_other_folders(tmp_path: Path) -> None:
    names = [*below("C-en/C-en-test/C-en-test-symptom", "txt/*-1.txt"), "en/a.txt", "C-en-test-procedure/notes.md", "eng-test-x/txt/a.txt"]
    root = corpus(tmp_path, dict.fromkeys(names, b"x"))
    assert [(folder.lang, folder.split, folder.entity) for folder in find_folders(root)] == [("en", "test", "symptom")]


def test_the_same_number_in_another_entity_s_folder_is_another_document(tmp_path: Path) -> None:
    root = corpus(tmp_path, {**below("C-en-test-disease", "txt/*-0001.txt"), **below("C-en-test-symptom", "txt/*-0001.txt")})
    found = [file.document for folder in find_folders(root) for file in discover_multiclin(root, folder).files]
    assert found == ["test-disease-0001", "test-symptom-0001"]


def test_a_test_folder_holds_texts_only(tmp_path: Path) -> None:
    assert [file.annotations for file in only(corpus(tmp_path, below("C-cz-test-disease", "txt/*-1.txt", "txt/*-2.txt"))).files] == [
        None,
        None,
    ]


def test_without_standoff_the_one_tsv_annotates_every_text(tmp_path: Path) -> None:
    found = only(corpus(tmp_path, below("C-es-train-disease", "txt/*-1.txt", "txt/*-2.txt", "tsv/*.tsv")))
    assert [file.annotations for file in found.files] == ["C-es-train-disease/tsv/C-es-train-disease.tsv"] * 2


def test_two_tsvs_are_rejected_rather_than_chosen_from(tmp_path: Path) -> None:
    found = only(corpus(tmp_path, below("C-es-train-disease", "txt/*-1.txt", "tsv/a.tsv", "tsv/b.tsv")))
    assert [file.annotations for file in found.files] == [None]
    assert [(problem.file.rsplit("/", 1)[-1], problem.code) for problem in found.problems] == [
        ("a.tsv", "ambiguous_annotations"),
        ("b.tsv", "ambiguous_annotations"),
    ]


def test_what_is_named_otherwise_or_lacks_its_text_is_rejected(tmp_path: Path) -> None:
    names = ("txt/*-0001.txt", "txt/C-en-train-symptom-0002.txt", "txt/*-x.txt", "txt/..txt", "ann/*-0003.ann")
    found = only(corpus(tmp_path, below("C-en-train-disease", *names)))
    assert [file.document for file in found.files] == ["train-disease-0001"]
    assert sorted((problem.file.rsplit("/", 1)[-1], problem.code) for problem in found.problems) == [
        ("..txt", "unsafe_name"),
        ("C-en-train-disease-0003.ann", "missing_text"),
        ("C-en-train-disease-x.txt", "name_off_pattern"),
        ("C-en-train-symptom-0002.txt", "name_off_pattern"),
    ]


def test_a_text_without_standoff_is_annotated_by_the_tsv_beside_it(tmp_path: Path) -> None:
    found = only(corpus(tmp_path, below("C-es-train-disease", "txt/*-1.txt", "txt/*-2.txt", "ann/*-1.ann", "tsv/*.tsv")))
    assert [file.annotations for file in found.files] == [
        "C-es-train-disease/ann/C-es-train-disease-1.ann",
        "C-es-train-disease/tsv/C-es-train-disease.tsv",
    ]


def test_a_tree_whose_names_are_not_utf8_is_rejected_text_by_text(tmp_path: Path) -> None:
    folder = os.fsdecode(b"\xff") + "/C-en-train-disease"
    found = only(corpus(tmp_path, below(folder, "txt/*-1.txt", "tsv/*.tsv")))
    assert found.files == []
    assert {(problem.code, problem.file.rsplit(".")[-1]) for problem in found.problems} == {("unsafe_name", "txt")}
