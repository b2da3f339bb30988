"""``spanferry export`` and ``spanferry validate``, as their users meet them."""

import csv
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.flows.commands.terminal import call
from tests.pipeline_lib.submission.runs import Doc, multiclin_docs, plain, write_corpus, write_run

SECRET = "zanahoria"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run over the task's layout."""
    return write_run(tmp_path_factory.mktemp("run"), [doc for doc in multiclin_docs() if doc.lang in ("en", "cz")])


def broken_zip(path: Path) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr(
            "EN/disease/run.tsv", f"filename\tlabel\tstart_span\tend_span\ttext\na\tX\t0\t2\t{SECRET}\n{SECRET}\tX\t1\t0\t{SECRET}\n"
        )
    return path


def test_export_says_what_it_wrote_and_validate_finds_it_good(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "submission"
    code, said = call("export", "--run", str(run), "--format", "multiclin", "--out", str(out))
    assert code == 0
    assert "documents of split test: en 36, cz 36; 0 without a text left out" in said and "procedure" in said
    assert f"wrote {out}" in said.replace("\n", "")
    code, said = call("validate", str(out / "submission.zip"), "--run", str(run))
    assert (code, said) == (0, "valid: 6 tables, 66 rows\n")
    code, said = call("validate", str(out / "submission.zip"))
    assert (code, said) == (0, "not checked: documents, offsets and texts\nvalid: 6 tables, 66 rows\n")


def test_export_takes_labels_and_a_split(run: Path, tmp_path: Path) -> None:
    arguments = ["--label", "DISEASE", "--label", "SYMPTOM", "--split", "train", "--json"]
    code, said = call("export", "--run", str(run), "--format", "brat", "--out", str(tmp_path), *arguments)
    facts = json.loads(said)
    assert code == 0
    assert (facts["split"], facts["labels"], facts["documents"]) == ("train", ["DISEASE", "SYMPTOM"], {"en": 3, "cz": 3})
    assert [count["mentions"] for count in facts["counts"]] == [2, 2]


def test_export_to_conll_counts_what_is_not_exact(tmp_path: Path) -> None:
    doc = Doc("en", "a", "dry cough", (("T1", "X", [(0, 9)]), ("T2", "X", [(0, 3)])))
    code, said = call("export", "--run", str(write_run(tmp_path / "run", [doc])), "--format", "conll", "--out", str(tmp_path / "out"))
    assert code == 0 and "overlaps_another: 1" in said


def test_export_refuses_what_is_no_run_and_what_is_not_its_own(run: Path, tmp_path: Path) -> None:
    code, said = call("export", "--run", str(tmp_path), "--format", "brat", "--out", str(tmp_path / "out"))
    assert code == 6 and "give the --out of a finished run" in said
    code, said = call("export", "--run", str(run), "--format", "brat", "--out", str(run))
    assert code == 6 and "choose another --out" in said


def test_validate_tells_every_rule_and_no_text_and_exits_with_three(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", [plain("en", "a", f"|No| {SECRET}")])
    path = broken_zip(tmp_path / "z.zip")
    code, said = call("validate", str(path), "--corpus", str(corpus), "--csv", str(tmp_path / "found.csv"))
    assert code == 3
    assert "text_differs" in said and "end_not_after_start" in said and "not valid: 1 tables, 2 rows" in said
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["row"], row["code"], row["start"], row["end"]) for row in rows] == [
        ("EN/disease/run.tsv", "1", "text_differs", "0", "2"), ("EN/disease/run.tsv", "2", "end_not_after_start", "1", "0"),
    ]  # fmt: skip
    code, in_json = call("validate", str(path), "--corpus", str(corpus), "--json")
    assert code == 3
    report = json.loads(in_json)
    assert (report["valid"], report["tables"], [row["row"] for row in report["findings"]]) == (False, {"EN/disease/run.tsv": 2}, [1, 2])
    assert SECRET not in said + in_json + (tmp_path / "found.csv").read_text("utf-8")


def test_names_that_cannot_be_written_are_escaped_in_the_table_of_findings(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("config.json", json.dumps({"languages": ["\ud800"], "entities": ["a\nb"]}))
    code, in_json = call("validate", str(tmp_path / "z.zip"), "--csv", str(tmp_path / "new" / "found.csv"), "--json")
    assert code == 3
    with (tmp_path / "new" / "found.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["file"], row["code"]) for row in csv.DictReader(file)] == [("\\ud800/a\\nb/run.tsv", "missing_file")]
    assert json.loads(in_json)["findings"][0]["file"] == "\\ud800/a\\nb/run.tsv"


def test_validate_refuses_what_it_cannot_use(run: Path, tmp_path: Path) -> None:
    assert call("validate", str(tmp_path / "none.zip"))[0] == 6
    path = str(broken_zip(tmp_path / "z.zip"))
    assert call("validate", path, "--corpus", str(tmp_path / "none"))[0] == 4
    assert call("validate", path, "--run", str(tmp_path))[0] == 6
    code, said = call("validate", path, "--csv", str(tmp_path))
    assert code == 5 and "it is a folder" in said.replace("\n", " ")
    code, said = call("validate", str(tmp_path))
    assert code == 6 and "is a folder and no ZIP" in said.replace("\n", " ")
    assert call("validate", path, "--run", str(run), "--corpus", str(run))[0] == 2
