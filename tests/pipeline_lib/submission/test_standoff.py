from pathlib import Path

import pytest

from pipeline_lib.corpus import brat
from pipeline_lib.submission.export import export_run
from pipeline_lib.submission.standoff import keep_labels
from tests.pipeline_lib.submission.runs import Doc, multiclin_docs, write_run

ANNOTATIONS = (
    "T1\tDISEASE 0 5\tcough\nT2\tDRUG 6 10;12 14\tabcd ef\nT3\tDRUG 16 17\tz\nT4\tGIVEN 18 20\tpo\n"
    "R1\tTreats Arg1:T2 Arg2:T1\nR2\tSame Arg1:T2 Arg2:T3\nA1\tNegated T1\nA2\tSev T2 T1\nA3\tOld R1\n"
    "#1\tAnnotatorNotes T1\tsee T2\n#2\tAnnotatorNotes A3\tno\nN1\tReference T2 ATC:T1\tx\n*\tEquiv T1 T3\n"
    "E1\tGIVEN:T4 Theme:T2 Theme2:T3\nE2\tGIVEN:T4 Theme:E1\nR3\tBefore Arg1:E1 Arg2:T2\nM1\tDoubtful E2\n#3\tAnnotatorNotes M1\n"
)


def kept(*labels: str, annotations: str = ANNOTATIONS) -> str:
    standoff = keep_labels(brat.parse(annotations), labels)
    return brat.write(standoff.mentions, standoff.others)


def test_texts_and_annotations_are_the_runs_own_under_their_official_names(run: Path, tmp_path: Path) -> None:
    export_run(run, "brat", tmp_path)
    docs = [doc for doc in multiclin_docs() if doc.split == "test"]
    assert len(list(tmp_path.rglob("*.ann"))) == len(list(tmp_path.rglob("*.txt"))) == len(docs)
    for doc in docs:
        path = tmp_path / doc.lang / Path(doc.file).name
        assert path.read_bytes().decode() == doc.text
        standoff = brat.check_against(brat.parse(path.with_suffix(".ann").read_bytes().decode()), doc.text)
        assert standoff.problems == () and [mention.label for mention in standoff.mentions] == [label for _, label, _ in doc.mentions]


def test_with_a_label_what_tells_of_others_is_left_out() -> None:
    assert kept("DISEASE") == "T1\tDISEASE 0 5\tcough\nA1\tNegated T1\n#1\tAnnotatorNotes T1\tsee T2\n"
    assert kept("DISEASE", "DRUG", "GIVEN") == ANNOTATIONS


def test_a_value_or_a_reference_named_like_a_mention_is_none() -> None:
    assert kept("DRUG") == (
        "T2\tDRUG 6 10;12 14\tabcd ef\nT3\tDRUG 16 17\tz\nR2\tSame Arg1:T2 Arg2:T3\nA2\tSev T2 T1\nN1\tReference T2 ATC:T1\tx\n"
    )


def test_an_event_goes_with_its_trigger_or_argument_and_takes_along_what_refers_to_it() -> None:
    lines = kept("DRUG", "GIVEN").splitlines()
    assert [line for line in lines if line[0] in "ERM#"] == [
        "R2\tSame Arg1:T2 Arg2:T3", "E1\tGIVEN:T4 Theme:T2 Theme2:T3", "E2\tGIVEN:T4 Theme:E1",
        "R3\tBefore Arg1:E1 Arg2:T2", "M1\tDoubtful E2", "#3\tAnnotatorNotes M1",
    ]  # fmt: skip
    assert kept("GIVEN") == "T4\tGIVEN 18 20\tpo\n"


def test_a_free_comment_and_a_mention_over_two_lines_stay_as_they_are() -> None:
    annotations = "# by hand\r\nT1\tDRUG 0 9\tdry\nTcough\nT2\tX 3 4\ty"
    assert kept("DRUG", annotations=annotations) == "# by hand\r\nT1\tDRUG 0 9\tdry\nTcough\n"


def test_the_export_with_a_label_counts_what_it_kept(tmp_path: Path) -> None:
    doc = Doc("en", "a", "cough now", (("T1", "DISEASE", [(0, 5)]), ("T2", "DRUG", [(6, 9)])), extra="A1\tOld T2\n")
    facts = export_run(write_run(tmp_path / "run", [doc]), "brat", tmp_path / "out", ["DRUG"])
    assert (tmp_path / "out/en/a.ann").read_text("utf-8") == "T2\tDRUG 6 9\tnow\nA1\tOld T2\n"
    assert facts["counts"] == [{"lang": "en", "entity": "*", "documents": 1, "mentions": 1}]


@pytest.mark.parametrize("labels", [(), ("DISEASE",)])
def test_the_configuration_lies_beside_the_languages(labels: tuple[str, ...], run: Path, tmp_path: Path) -> None:
    export_run(run, "brat", tmp_path, labels)
    entities = (tmp_path / "annotation.conf").read_text("utf-8").split("\n\n")[0].split("\n")
    assert entities == ["[entities]", *(labels or ["DISEASE", "PROCEDURE", "SYMPTOM"])]
