"""What is scored against what."""

from pathlib import Path

import pytest

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.sides import absent, language_paths, only, pair_languages, read_sides
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, frame

TSV = "filename\tlabel\tstart_span\tend_span\ttext\nd1\tX\t0\t5\ta\nd2\tX\t0\t5\ta\n"
ANN = "T1\tX 0 5\tabcde\n"


def tree(root: Path, **files: str) -> Path:
    """``en__run_tsv="..."`` is the file ``en/run.tsv``."""
    for name, content in files.items():
        folder, _, file = name.rpartition("__")
        path = root.joinpath(*folder.split("__"), ".".join(file.rsplit("_", 1)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


def test_two_files_are_one_pair_without_a_language(tmp_path: Path) -> None:
    tree(tmp_path, gold_tsv=TSV, pred_tsv=TSV)
    assert pair_languages(tmp_path / "gold.tsv", tmp_path / "pred.tsv").paths == {"": (tmp_path / "gold.tsv", tmp_path / "pred.tsv")}


def test_a_folder_that_holds_annotations_itself_is_no_folder_of_languages(tmp_path: Path) -> None:
    assert language_paths(tree(tmp_path, d1_ann=ANN, en__d1_ann=ANN)) == {}


def test_a_folder_of_annotations_each_is_a_language_each(tmp_path: Path) -> None:
    root = tree(tmp_path, en__d1_ann=ANN, cz__d1_ann=ANN, notes__readme_txt="")
    assert language_paths(root) == {"cz": root / "cz", "en": root / "en"}


def test_where_one_language_has_a_table_those_without_do_not_count(tmp_path: Path) -> None:
    root = tree(tmp_path, en__run_tsv=TSV, en__d1_ann=ANN, es__d1_ann=ANN)
    assert language_paths(root) == {"en": root / "en" / "run.tsv"}


def test_two_tables_of_one_language_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match=r"en: 2 \.tsv files"):
        language_paths(tree(tmp_path, en__a_tsv=TSV, en__b_tsv=TSV))


def test_languages_of_one_side_only_are_named(tmp_path: Path) -> None:
    gold, pred = tree(tmp_path / "gold", en__d1_ann=ANN, es__d1_ann=ANN), tree(tmp_path / "pred", en__run_tsv=TSV, it__run_tsv=TSV)
    pairing = pair_languages(gold, pred)
    assert pairing.paths == {"en": (gold / "en", pred / "en" / "run.tsv")}
    assert pairing.unpaired == ("es", "it")


def test_czech_is_one_language_under_either_code(tmp_path: Path) -> None:
    gold, pred = tree(tmp_path / "gold", cs__d1_ann=ANN), tree(tmp_path / "pred", cz__run_tsv=TSV)
    assert pair_languages(gold, pred).paths == {"cs": (gold / "cs", pred / "cz" / "run.tsv")}
    assert pair_languages(gold, pred).unpaired == ()


def test_a_folder_of_languages_beside_a_file_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, gold__en__d1_ann=ANN, pred_tsv=TSV)
    with pytest.raises(ScoreInputError, match=r"gold is a folder of languages and .*pred\.tsv is not"):
        pair_languages(tmp_path / "gold", tmp_path / "pred.tsv")


def test_no_common_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match="no language in common"):
        pair_languages(tree(tmp_path / "gold", en__d1_ann=ANN), tree(tmp_path / "pred", it__d1_ann=ANN))


def test_listed_documents_are_kept_with_and_without_txt() -> None:
    both = frame(("d1", "X", 0, 5), ("d1.txt", "X", 6, 9), ("d2", "X", 0, 5))
    assert only(both, frozenset({"d1", "d7"})).rows() == [("d1", "X", 0, 5), ("d1.txt", "X", 6, 9)]


def test_listed_documents_without_a_mention_are_counted() -> None:
    assert absent([GOLD, PREDICTED], frozenset({"d1", "d2"})) == 0
    assert absent([GOLD, frame(("d3.txt", "X", 0, 5))], frozenset({"d1", "d3", "d4"})) == 1


def test_a_list_of_which_no_document_is_there_is_refused() -> None:
    with pytest.raises(ScoreInputError, match="none of the 2 listed documents"):
        absent([GOLD, PREDICTED], frozenset({"d7", "d8"}))


def test_sides_are_read_and_cut_to_the_list_in_every_language(tmp_path: Path) -> None:
    gold = tree(tmp_path / "gold", en__d1_ann=ANN, cz__d2_ann=ANN)
    pred = tree(tmp_path / "pred", en__run_tsv=TSV, cz__run_tsv=TSV)
    sides = read_sides(gold, pred, frozenset({"d2", "d9"}))
    found = {lang: tuple(side["filename"].to_list() for side in pair) for lang, pair in sides.frames.items()}
    assert found == {"cz": (["d2"], ["d2"]), "en": ([], ["d2"])}
    assert sides.absent == 1
    assert read_sides(gold, pred).absent is None


def test_gold_that_a_run_rejects_is_counted_over_the_languages(tmp_path: Path) -> None:
    gold = tree(tmp_path / "gold", en__d1_ann=ANN, en__d1_txt="abcde", cz__d1_ann=ANN, cz__d1_txt="vwxyz")
    pred = tree(tmp_path / "pred", en__run_tsv=TSV, cz__run_tsv=TSV)
    sides = read_sides(gold, pred, aliases={"X": "Y"})
    assert sides.left_out == read_sides(gold, pred, frozenset({"d1"})).left_out == 1
    assert {lang: of_gold["label"].to_list() for lang, (of_gold, _) in sides.frames.items()} == {"cz": [], "en": ["Y"]}
    assert all(set(of_pred["label"]) == {"X"} for _, of_pred in sides.frames.values())
