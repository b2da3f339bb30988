"""The whole way: a run over 6 languages and 3 entities, exported, validated, and read back by the official reader."""

import hashlib
import json
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from pipeline_lib.submission.export import export_run
from pipeline_lib.submission.texts import texts_of_corpus, texts_of_run
from pipeline_lib.submission.validate import validate
from tests.pipeline_lib.submission.runs import ENTITIES, LANGUAGES, multiclin_docs, plain, write_corpus, write_run


def test_the_submission_is_valid_against_the_run(run: Path, submission: Path) -> None:
    report = validate(submission / "submission.zip", texts_of_run(run))
    assert (report.findings, report.not_checked) == ([], [])
    assert report.tables == {f"{lang.upper()}/{entity}/run.tsv": 11 for lang in LANGUAGES for entity in ENTITIES}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("entity", ENTITIES)
def test_pandas_reads_back_the_rows_and_values_that_were_projected(lang: str, entity: str, submission: Path) -> None:
    with ZipFile(submission / "submission.zip") as archive, archive.open(f"{lang.upper()}/{entity}/run.tsv") as file:
        frame = pd.read_csv(file, sep="\t")
    assert list(frame.columns) == ["filename", "label", "start_span", "end_span", "text"]
    docs = [doc for doc in multiclin_docs() if (doc.lang, doc.entity, doc.split) == (lang, entity, "test")]
    expected = [(Path(doc.file).stem, label, start, end, doc.text[start:end]) for doc in docs for _, label, [(start, end)] in doc.mentions]
    assert len(expected) == 11
    assert list(frame.itertuples(index=False, name=None)) == sorted(expected)


def test_a_surface_that_reads_as_missing_is_a_warning_and_reads_back_as_text_when_asked_to(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [plain("en", "a", "The |NA| is low.")])
    export_run(run, "multiclin", tmp_path / "out")
    report = validate(tmp_path / "out" / "submission.zip", texts_of_run(run))
    assert report.valid and [(finding.code, finding.level) for finding in report.findings] == [("reads_as_missing", "warning")]
    path = tmp_path / "out" / "EN" / "disease" / "run.tsv"
    assert pd.read_csv(path, sep="\t")["text"].isna().tolist() == [True]
    assert pd.read_csv(path, sep="\t", keep_default_na=False)["text"].tolist() == ["NA"]


def test_file_names_end_in_txt_where_that_is_asked_for_and_are_known_all_the_same(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [plain("en", "a", "The |fever| is low.")])
    export_run(run, "multiclin", tmp_path / "out", suffix=".txt")
    assert pd.read_csv(tmp_path / "out" / "EN" / "disease" / "run.tsv", sep="\t")["filename"].tolist() == ["a.txt"]
    assert validate(tmp_path / "out" / "submission.zip", texts_of_run(run)).findings == []


def test_a_plain_corpus_validates_its_submission(tmp_path: Path) -> None:
    docs = [plain(lang, name, f"{lang} |cough|\r\nnow") for lang in ("en", "it") for name in ("a", "b")]
    export_run(write_run(tmp_path / "run", docs), "multiclin", tmp_path / "out")
    report = validate(tmp_path / "out" / "submission.zip", texts_of_corpus(write_corpus(tmp_path / "corpus", docs)))
    assert (report.findings, sum(report.tables.values())) == ([], 4)


def test_the_zip_holds_what_the_folder_holds(submission: Path) -> None:
    with ZipFile(submission / "submission.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    files = {path.relative_to(submission).as_posix(): path.read_bytes() for path in submission.rglob("*") if path.is_file()}
    files.pop("submission.zip")
    assert held == files and list(held) == sorted(held)


def test_the_config_tells_what_was_exported_and_hashes_every_other_file(submission: Path) -> None:
    config = json.loads((submission / "config.json").read_text("utf-8"))
    assert {name: config[name] for name in ("run", "model", "source", "split", "format", "config")} == {
        "run": "run-1", "model": "run-0", "source": "es", "split": "test", "format": "multiclin", "config": {"aligner": "target"},
    }  # fmt: skip
    assert config["languages"] == list(LANGUAGES) and config["entities"] == sorted(ENTITIES)
    assert config["documents"] == dict.fromkeys(LANGUAGES, 36) and config["documents_without_text"] == 0
    written = [path.relative_to(submission).as_posix() for path in submission.rglob("*") if path.is_file()]
    hashes = {name: hashlib.sha256((submission / name).read_bytes()).hexdigest() for name in written}
    assert config["files"] == {name: hashes[name] for name in hashes.keys() - {"config.json", "submission.zip"}}


@pytest.mark.parametrize("form", ["multiclin", "brat", "conll"])
def test_the_same_run_gives_the_same_bytes_also_over_another_export(form: str, run: Path, tmp_path: Path) -> None:
    def contents(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    export_run(run, form, tmp_path / "a")  # type: ignore[arg-type]
    export_run(run, "brat" if form == "conll" else "conll", tmp_path / "b")
    export_run(run, form, tmp_path / "b")  # type: ignore[arg-type]
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != {}
