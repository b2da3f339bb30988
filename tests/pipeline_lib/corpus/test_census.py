import csv
import io
import json
from pathlib import Path

import pytest

from pipeline_lib.corpus.census import COLUMNS, Census, take_census
from pipeline_lib.corpus.files import RULES, CorpusError
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import LANGUAGES, write_sample
from tests.pipeline_lib.corpus.trees import corpus

SAMPLE = ["case-01", "case-17"]
FEVER = b"T1\tDISEASE 0 6\tfiebre\nT2\tDISEASE 0 6\tFieber\n#1\tAnnotatorNotes T1\tx\nT3\tSYMPTOM 7 11\talta\n"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Three Spanish texts of which two can be read, two English ones of which one can."""
    return corpus(
        tmp_path,
        {
            "es/a.txt": b"fiebre alta",
            "es/a.ann": FEVER,
            "es/b.txt": b"tos",
            "es/c.txt": b"\xff",
            "es/c.ann": b"T1\tDISEASE 0 1\tx\n",
            "es/lone.ann": b"",
            "en/a.txt": b"high fever",
            "en/a.ann": b"\xff",
            "en/b.txt": b" \n",
            "notes/readme.md": b"x",
        },
    )


def test_the_bundled_corpus_is_counted_whole_and_without_rejects(tmp_path: Path) -> None:
    write_sample(tmp_path, documents=SAMPLE)
    census = take_census(tmp_path, CorpusConfig())
    assert census.documents == dict.fromkeys(sorted(LANGUAGES), len(SAMPLE))
    assert census.mentions == {lang: sum(ann_lines(tmp_path / lang / f"{name}.ann") for name in SAMPLE) for lang in sorted(LANGUAGES)}
    assert census.mentions["es"] > 20 and census.rejects == [] and census.finding_rows() == []


def ann_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_what_cannot_be_read_is_counted_as_a_reject_and_nowhere_else(broken: Path) -> None:
    census = take_census(broken, CorpusConfig())
    assert census.documents == {"en": 1, "es": 2}
    assert census.mentions == {"en": 0, "es": 2}
    assert sorted((problem.file, problem.line, problem.code) for problem in census.rejects) == [
        ("en/a.ann", None, "not_utf8"),
        ("en/b.txt", None, "empty_document"),
        ("es/a.ann", 2, "surface_mismatch"),
        ("es/c.txt", None, "not_utf8"),
        ("es/lone.ann", None, "missing_text"),
    ]


def test_rows_for_reading_are_by_language_and_rejects_by_frequency(broken: Path) -> None:
    census = take_census(broken, CorpusConfig())
    assert census.read_rows() == [("en", 1, 0), ("es", 2, 2)]
    rows = [row for row in census.finding_rows() if row[0] == "reject"]
    assert rows[0] == ("reject", "not_utf8", RULES["not_utf8"], 2, 2)
    assert sorted(row[1] for row in rows) == ["empty_document", "missing_text", "not_utf8", "surface_mismatch"]
    assert sum(int(str(row[4])) for row in rows) == len(census.rejects)


def test_the_json_holds_counts_and_places_but_no_text(broken: Path) -> None:
    found = json.loads(json.dumps(take_census(broken, CorpusConfig()).as_json()))
    assert found["documents"] == {"en": 1, "es": 2} and found["mentions"] == {"en": 0, "es": 2}
    rejects = [row for row in found["findings"] if row["severity"] == "reject"]
    (mismatch,) = (row for row in rejects if row["code"] == "surface_mismatch")
    assert (mismatch["file"], mismatch["line"], mismatch["start"], mismatch["end"]) == ("es/a.ann", 2, 0, 6) and len(rejects) == 5
    assert all(tuple(row) == COLUMNS for row in found["findings"])
    assert "fiebre" not in json.dumps(found)


def test_a_language_whose_texts_are_all_rejected_is_still_named(tmp_path: Path) -> None:
    assert take_census(corpus(tmp_path, {"es/a.txt": b""}), CorpusConfig()).read_rows() == [("es", 0, 0)]


def test_nothing_is_changed(broken: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in broken.rglob("*") if path.is_file()}

    before = files()
    take_census(broken, CorpusConfig())
    assert files() == before


def test_a_folder_without_languages_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        take_census(tmp_path, CorpusConfig())


def test_an_empty_census_has_no_rows() -> None:
    empty = Census({}, {}, [], [])
    assert empty.read_rows() == [] and empty.finding_rows() == [] and empty.csv().count("\n") == 1


def test_the_csv_has_a_row_a_finding_and_no_text(broken: Path) -> None:
    census = take_census(broken, CorpusConfig())
    rows = list(csv.DictReader(io.StringIO(census.csv())))
    assert len(rows) == len(census.rejects) + len(census.warnings)
    assert [(row["file"], row["line"]) for row in rows if row["code"] == "surface_mismatch"] == [("es/a.ann", "2")]
    assert "fiebre" not in census.csv() and "Fieber" not in census.csv()


def test_a_tree_of_no_layout_is_read_all_the_same(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"x/y/a.txt": b"fiebre", "x/y/a.ann": b"T1\tDISEASE 0 6\tfiebre\n", "x/b.ann": b""})
    census = take_census(root, CorpusConfig())
    assert census.read_rows() == [("-", 1, 1)]
    assert [problem.code for problem in census.rejects] == ["missing_text"]


def test_rows_of_a_tsv_that_belong_to_no_text_are_rejects(tmp_path: Path) -> None:
    table = b"filename\tlabel\tstart_span\tend_span\na\tD\t0\t6\nz\tD\t0\t6\n"
    census = take_census(corpus(tmp_path, {"es/a.txt": b"fiebre", "es.tsv": table}), CorpusConfig())
    assert census.mentions == {"es": 1}
    assert [(problem.code, problem.line) for problem in census.rejects] == [("unknown_document", 3)]


def test_what_a_run_would_refuse_is_not_read_as_a_tree(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["es/a.txt", "a_es.tsv", "b_es.tsv"], b"x"))
    with pytest.raises(CorpusError, match="2 TSV files of es"):
        take_census(root, CorpusConfig())


def test_a_scored_document_that_is_not_there_is_told_before_a_run(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"es/a.txt": b"x", "scored.txt": b"a\nz\n"})
    assert [problem.code for problem in take_census(root, CorpusConfig(scored="scored.txt")).rejects] == ["unknown_scored"]
    with pytest.raises(CorpusError, match="absent"):
        take_census(root, CorpusConfig(scored="absent.txt"))
