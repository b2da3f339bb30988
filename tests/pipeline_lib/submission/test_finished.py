import json
from pathlib import Path

import polars as pl
import pytest

from pipeline_lib.submission.finished import SubmissionError, open_run, select
from tests.pipeline_lib.submission.runs import Doc, list_tables, multiclin_docs, plain, write_corpus_files, write_run


def test_a_document_has_the_name_of_its_own_text_file(run: Path) -> None:
    found = open_run(run).documents.filter((pl.col("lang") == "cz") & (pl.col("document") == "test-symptom-0003"))
    assert found.rows() == [("test-symptom-0003", "cz", "MultiClinNER-cz-test-symptom-0003", "symptom", "test")]


def test_in_the_plain_layout_the_name_is_the_id(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path, [plain("en", "case.01", "a |cough|")]))
    assert run.documents.rows() == [("case.01", "en", "case.01", None, None)]


def test_texts_are_those_that_the_run_wrote(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path, [plain("en", "a", "e\u0301 |cough|\r\nnow")]))
    assert run.text("en", "a") == "e\u0301 cough\r\nnow"
    (tmp_path / "en" / "a.txt").write_text("changed", encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"a\.txt is not as the run wrote it"):
        run.text("en", "a")
    (tmp_path / "en" / "a.txt").unlink()
    with pytest.raises(SubmissionError, match="No such file"):
        run.text("en", "a")


@pytest.mark.parametrize("content", [None, "{}", "secret"])
def test_a_folder_that_is_no_finished_run_is_refused_without_its_content(content: str | None, tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "a |cough|")])
    (tmp_path / "run.json").unlink()
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(SubmissionError, match="give the --out of a finished run") as caught:
        open_run(tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["corpus_files.parquet", "projections.parquet"])
def test_a_table_that_is_not_as_the_run_wrote_it_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = write_run(tmp_path, [plain("en", "a", "a |cough|")]) / name
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(SubmissionError, match=rf"{name}: No such file"):
        select(open_run(tmp_path), None, [])
    for content in (b"", b"secret", whole[: len(whole) // 2], whole[:10] + b"?" + whole[11:]):
        path.write_bytes(content)
        with pytest.raises(SubmissionError, match=rf"{name} is not as the run wrote it"):
            select(open_run(tmp_path), None, [])
    path.write_bytes(whole)
    pl.read_parquet(path).drop("document").write_parquet(path)
    list_tables(tmp_path)
    with pytest.raises(SubmissionError, match=rf"{name} cannot be read, it was written by another version") as caught:
        select(open_run(tmp_path), None, [])
    assert "secret" not in str(caught.value)


def test_a_run_that_lists_no_tables_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "a |cough|")])
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    (tmp_path / "run.json").write_text(json.dumps({**record, "files": {}}), encoding="utf-8")
    with pytest.raises(SubmissionError, match="not as the run wrote it"):
        open_run(tmp_path)


@pytest.mark.parametrize("name", ["../a", "a/../../b", "en/.hidden", "en/a\tb"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "a |cough|")])
    files = pl.read_parquet(tmp_path / "corpus_files.parquet")
    files.with_columns(file=pl.lit(f"{name}.txt"), entity=pl.lit(name)).write_parquet(tmp_path / "corpus_files.parquet")
    list_tables(tmp_path)
    with pytest.raises(SubmissionError, match="cannot be a file or folder"):
        open_run(tmp_path)


def test_without_a_split_the_test_documents_are_taken(run: Path) -> None:
    chosen = select(open_run(run), None, [])
    assert (chosen.split, chosen.documents.height) == ("test", 6 * 3 * 12)
    train = select(open_run(run), "train", [])
    assert train.documents["document"].unique().sort().to_list() == ["train-disease-0000", "train-procedure-0000", "train-symptom-0000"]


def test_where_nothing_is_called_test_all_documents_are_taken(tmp_path: Path) -> None:
    docs = [Doc("en", "train-disease-1", "x", split="train", entity="disease"), Doc("en", "b-disease-1", "y", split="b", entity="disease")]
    run = open_run(write_run(tmp_path / "splits", docs))
    assert (select(run, None, []).split, select(run, None, []).documents.height) == (None, 2)
    run = open_run(write_run(tmp_path / "plain", [plain("en", "a", "|x|"), plain("it", "a", "|x|")]))
    assert select(run, None, []).documents.height == 2


def test_an_unknown_split_or_label_is_refused_by_name(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no documents of split dev; the run has: test, train"):
        select(open_run(run), "dev", [])
    with pytest.raises(SubmissionError, match="no mention has the label DRUG"):
        select(open_run(run), None, ["DISEASE", "DRUG"])
    with pytest.raises(SubmissionError, match="the run has: no splits"):
        select(open_run(write_run(tmp_path, [plain("en", "a", "|x|")])), "test", [])


def test_projections_are_those_of_the_chosen_documents_labels_and_language(tmp_path: Path) -> None:
    docs = [
        Doc("en", "test-disease-1", "a b", (("T1", "DISEASE", [(0, 1)]), ("T2", "SYMPTOM", [(2, 3)])), split="test", entity="disease"),
        Doc("en", "train-disease-1", "a b", (("T1", "DISEASE", [(0, 1)]),), split="train", entity="disease"),
        Doc("it", "test-disease-1", "a b", (("T1", "DISEASE", [(0, 3)]),), split="test", entity="disease"),
    ]
    run = open_run(write_run(tmp_path, docs, ("en", "test-disease-1", "T3", "DISEASE")))
    found = select(run, None, ["DISEASE"]).projections("en")
    assert found.rows() == [("test-disease-1", "T1", "DISEASE", [0], [1])]
    assert select(run, None, []).projections("en")["mention"].to_list() == ["T1", "T2"]


def test_documents_that_have_no_text_are_counted(tmp_path: Path) -> None:
    docs = [plain("en", "a", "|x|"), plain("en", "b", "|x|")]
    write_run(tmp_path, docs[:1])
    write_corpus_files(tmp_path, docs)
    list_tables(tmp_path)
    chosen = select(open_run(tmp_path), None, [])
    assert (chosen.of("en").rows(), chosen.without_text) == ([("a", "a", None)], 1)


def test_two_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "|x|"), plain("en", "b", "|x|")])
    files = pl.read_parquet(tmp_path / "corpus_files.parquet")
    files.with_columns(name=pl.lit("same")).write_parquet(tmp_path / "corpus_files.parquet")
    list_tables(tmp_path)
    with pytest.raises(SubmissionError, match="1 documents share their file name"):
        select(open_run(tmp_path), None, [])


def test_a_later_version_of_the_tables_with_more_columns_is_read_too(tmp_path: Path) -> None:
    write_run(tmp_path, [plain("en", "a", "a |cough|")])
    for name in ("projections", "corpus_files"):
        table = pl.read_parquet(tmp_path / f"{name}.parquet").with_columns(target_mention=pl.lit("T9"))
        table.select(sorted(table.columns)).write_parquet(tmp_path / f"{name}.parquet")
    list_tables(tmp_path)
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    (tmp_path / "run.json").write_text(json.dumps({**record, "new": 1}), encoding="utf-8")
    assert select(open_run(tmp_path), None, []).projections("en").height == 1


def test_the_fixture_has_background_documents_without_mentions() -> None:
    assert sum(not doc.mentions for doc in multiclin_docs()) == 18
