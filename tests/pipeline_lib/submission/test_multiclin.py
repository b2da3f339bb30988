import csv
from pathlib import Path

import pytest

from pipeline_lib.projection.export import HEADER
from pipeline_lib.submission.export import export_run
from pipeline_lib.submission.finished import SubmissionError
from tests.pipeline_lib.submission.runs import ENTITIES, LANGUAGES, Doc, plain, write_run


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file, delimiter="\t", strict=True)
    assert header == list(HEADER)
    return found


def test_there_is_a_table_for_every_language_and_entity(submission: Path) -> None:
    expected = {f"{lang.upper()}/{entity}/run.tsv" for lang in LANGUAGES for entity in ENTITIES}
    assert {path.relative_to(submission).as_posix() for path in submission.rglob("*.tsv")} == expected


def test_an_entity_without_mentions_has_its_header(tmp_path: Path) -> None:
    docs = [
        Doc("en", "test-disease-1", "a b", (("T1", "DISEASE", [(0, 1)]),), split="test", entity="disease"),
        Doc("it", "test-disease-1", "a b", split="test", entity="disease"),
        Doc("it", "test-symptom-1", "a b", split="test", entity="symptom"),
    ]
    export_run(write_run(tmp_path / "run", docs), "multiclin", tmp_path / "out")
    counts = {(lang, entity): len(rows(tmp_path / "out" / lang / entity / "run.tsv")) for lang in ("EN", "IT") for entity in ENTITIES[:2]}
    assert counts == {("EN", "disease"): 1, ("EN", "symptom"): 0, ("IT", "disease"): 0, ("IT", "symptom"): 0}


def test_in_the_plain_layout_the_folder_is_the_label_in_lower_case_also_where_nothing_was_projected(tmp_path: Path) -> None:
    docs = [plain("en", "b", "|cough|", "Disease"), plain("en", "a", "no |fever|", "SYMPTOM")]
    facts = export_run(write_run(tmp_path / "run", docs, ("en", "a", "T2", "DRUG")), "multiclin", tmp_path / "out")
    assert facts["entities"] == ["disease", "drug", "symptom"]
    assert rows(tmp_path / "out/EN/disease/run.tsv") == [["b", "Disease", "0", "5", "cough"]]
    assert rows(tmp_path / "out/EN/symptom/run.tsv") == [["a", "SYMPTOM", "3", "8", "fever"]]
    assert rows(tmp_path / "out/EN/drug/run.tsv") == []
    assert [count["documents"] for count in facts["counts"]] == [2, 2, 2]


def test_a_mention_goes_to_the_entity_of_its_file_whatever_its_label(tmp_path: Path) -> None:
    doc = Doc("en", "test-disease-1", "a b", (("T1", "ENFERMEDAD", [(0, 1)]), ("T2", "SINTOMA", [(2, 3)])), split="test", entity="disease")
    export_run(write_run(tmp_path / "run", [doc]), "multiclin", tmp_path / "all")
    assert [row[1] for row in rows(tmp_path / "all/EN/disease/run.tsv")] == ["ENFERMEDAD", "SINTOMA"]
    export_run(tmp_path / "run", "multiclin", tmp_path / "one", ["SINTOMA"])
    assert rows(tmp_path / "one/EN/disease/run.tsv") == [["MultiClinNER-en-test-disease-1", "SINTOMA", "2", "3", "b"]]


@pytest.mark.parametrize("label", ["../x", ".hidden", "a/b", "-x"])
def test_a_label_that_cannot_name_a_folder_is_refused(label: str, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="cannot name a folder"):
        export_run(write_run(tmp_path / "run", [plain("en", "a", "|x|", label)]), "multiclin", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_mention_in_pieces_has_the_slice_between_its_ends(tmp_path: Path) -> None:
    text = "pain in\nthe left arm"
    doc = Doc("en", "a", text, (("T1", "SYMPTOM", [(12, 20), (0, 4)]),))
    export_run(write_run(tmp_path / "run", [doc]), "multiclin", tmp_path / "out")
    assert rows(tmp_path / "out/EN/symptom/run.tsv") == [["a", "SYMPTOM", "0", "20", text]]


def test_rows_that_repeat_another_are_written_once_and_counted(tmp_path: Path) -> None:
    doc = Doc("en", "a", "a b c", tuple((f"T{n}", "X", spans) for n, spans in enumerate([[(0, 5)], [(0, 1), (4, 5)], [(0, 3)]])))
    facts = export_run(write_run(tmp_path / "run", [doc]), "multiclin", tmp_path / "out")
    assert [row[2:] for row in rows(tmp_path / "out/EN/x/run.tsv")] == [["0", "3", "a b"], ["0", "5", "a b c"]]
    assert facts["notes"] == {"repeated_rows_left_out": 1} and facts["counts"][0]["mentions"] == 2


def test_the_readme_tells_run_counts_and_no_text(submission: Path) -> None:
    readme = (submission / "README.md").read_text("utf-8")
    assert "`run-1`" in readme and "| cz | symptom | 12 | 11 |" in readme and "spanferry validate submission.zip" in readme
    assert "kidney" not in readme + (submission / "config.json").read_text("utf-8")
