from pathlib import Path

import pytest

from pipeline_lib.corpus import brat
from pipeline_lib.submission.export import export_run
from pipeline_lib.submission.standoff import Types, keep_labels
from tests.pipeline_lib.submission.runs import Doc, multiclin_docs, write_run

ANNOTATIONS = (
    "T1\tDISEASE 0 5\tcough\nT2\tDRUG 6 10;12 14\tx y\nT3\tDRUG 16 17\tz\n"
    "R1\tTreats Arg1:T2 Arg2:T1\nR2\tSame Arg1:T2 Arg2:T3\nA1\tNegated T1\nA2\tCertainty T2 low\nA3\tOld R1\n"
    "#1\tAnnotatorNotes T1\tsee T2\n#2\tAnnotatorNotes A3\tno\nN1\tReference T2 ATC:T1\tx\n*\tEquiv T1 T3\n"
)


def test_texts_and_annotations_are_the_runs_own_under_their_official_names(run: Path, tmp_path: Path) -> None:
    export_run(run, "brat", tmp_path)
    docs = [doc for doc in multiclin_docs() if doc.split == "test"]
    assert len(list(tmp_path.rglob("*.ann"))) == len(list(tmp_path.rglob("*.txt"))) == len(docs)
    for doc in docs:
        path = tmp_path / doc.lang / Path(doc.file).name
        assert path.read_bytes().decode() == doc.text
        standoff = brat.check_against(brat.parse(path.with_suffix(".ann").read_bytes().decode()), doc.text)
        assert standoff.problems == () and [mention.label for mention in standoff.mentions] == [label for _, label, _ in doc.mentions]


def test_with_a_label_what_tells_of_others_is_left_out(tmp_path: Path) -> None:
    kept = "T1\tDISEASE 0 5\tcough\nA1\tNegated T1\n#1\tAnnotatorNotes T1\tsee T2\n"
    assert keep_labels(ANNOTATIONS, ("DISEASE",)) == kept
    assert keep_labels(ANNOTATIONS, ("DISEASE", "DRUG")) == ANNOTATIONS
    doc = Doc("en", "a", "cough now", (("T1", "DISEASE", [(0, 5)]), ("T2", "DRUG", [(6, 9)])), extra="A1\tOld T2\n")
    facts = export_run(write_run(tmp_path / "run", [doc]), "brat", tmp_path / "out", ["DRUG"])
    assert (tmp_path / "out/en/a.ann").read_text("utf-8") == "T2\tDRUG 6 9\tnow\nA1\tOld T2\n"
    assert facts["counts"] == [{"lang": "en", "entity": "*", "documents": 1, "mentions": 1}]


def test_the_configuration_declares_every_type_that_occurs() -> None:
    types = Types()
    types.add(ANNOTATIONS)
    types.add("T1\tDISEASE 0 5\tx\nA1\tCertainty T1 high\n\n")
    assert types.configuration() == (
        "[entities]\nDISEASE\nDRUG\n\n"
        "[relations]\n<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n"
        "Same\tArg1:<ENTITY>, Arg2:<ENTITY>\nTreats\tArg1:<ENTITY>, Arg2:<ENTITY>\n\n"
        "[events]\n\n"
        "[attributes]\nCertainty\tArg:<ANY>, Value:high|low\nNegated\tArg:<ANY>\nOld\tArg:<ANY>\n"
    )


@pytest.mark.parametrize("labels", [(), ("DISEASE",)])
def test_the_configuration_lies_beside_the_languages(labels: tuple[str, ...], run: Path, tmp_path: Path) -> None:
    export_run(run, "brat", tmp_path, labels)
    entities = (tmp_path / "annotation.conf").read_text("utf-8").split("\n\n")[0].split("\n")
    assert entities == ["[entities]", *(labels or ["DISEASE", "PROCEDURE", "SYMPTOM"])]
