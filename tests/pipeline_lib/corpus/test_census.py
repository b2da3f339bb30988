import json
from pathlib import Path

import pytest

from pipeline_lib.corpus.census import Census, take_census
from pipeline_lib.corpus.layouts import RULES, CorpusError
from pipeline_lib.corpus.samples import LANGUAGES, documents, marked, write_sample
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
    census = take_census(tmp_path)
    assert census.documents == dict.fromkeys(sorted(LANGUAGES), len(SAMPLE))
    assert census.mentions == {lang: sum(ann_lines(tmp_path / lang / f"{name}.ann") for name in SAMPLE) for lang in sorted(LANGUAGES)}
    assert census.mentions["es"] > 20 and census.rejects == [] and census.reject_rows() == []


def ann_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_the_sample_used_here_exists() -> None:
    assert {*SAMPLE} <= {*documents()} and marked(SAMPLE[0], "es")


def test_what_cannot_be_read_is_counted_as_a_reject_and_nowhere_else(broken: Path) -> None:
    census = take_census(broken)
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
    census = take_census(broken)
    assert census.read_rows() == [("en", 1, 0), ("es", 2, 2)]
    rows = census.reject_rows()
    assert rows[0] == ("not_utf8", RULES["not_utf8"], 2)
    assert sorted(row[0] for row in rows) == ["empty_document", "missing_text", "not_utf8", "surface_mismatch"]
    assert sum(int(str(row[2])) for row in rows) == len(census.rejects)


def test_the_json_holds_counts_and_places_but_no_text(broken: Path) -> None:
    found = json.loads(json.dumps(take_census(broken).as_json()))
    assert found["documents"] == {"en": 1, "es": 2} and found["mentions"] == {"en": 0, "es": 2}
    assert {"file": "es/a.ann", "line": 2, "code": "surface_mismatch"} in found["rejects"] and len(found["rejects"]) == 5
    assert all(row.keys() == {"file", "line", "code"} for row in found["rejects"])
    assert "fiebre" not in json.dumps(found)


def test_a_language_whose_texts_are_all_rejected_is_still_named(tmp_path: Path) -> None:
    assert take_census(corpus(tmp_path, {"es/a.txt": b""})).read_rows() == [("es", 0, 0)]


def test_nothing_is_changed(broken: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in broken.rglob("*") if path.is_file()}

    before = files()
    take_census(broken)
    assert files() == before


def test_a_folder_without_languages_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        take_census(tmp_path)


def test_an_empty_census_has_no_rows() -> None:
    assert Census({}, {}, []).read_rows() == [] and Census({}, {}, []).reject_rows() == []
