import pytest

from pipeline_lib.corpus import brat
from pipeline_lib.submission.annotation_types import AnnotationTypes


def configuration(*files: str) -> str:
    types = AnnotationTypes()
    for annotations in files:
        types.add(brat.parse(annotations))
    return types.configuration()


def test_every_type_that_occurs_is_declared_once() -> None:
    files = [
        "T1\tDISEASE 0 5\tcough\nT2\tDRUG 6 7\tx\nR1\tTreats Arg1:T2 Arg2:T1\nA1\tNegated T1\nA2\tCertainty T2 low\n",
        "T1\tDISEASE 0 5\tcough\nT2\tDRUG 6 7\tx\nR1\tSame Arg1:T1 Arg2:T2\nA1\tCertainty T1 high\nM1\tOld R1\n*\tEquiv T1 T2\n",
    ]
    assert configuration(*files) == (
        "[entities]\nDISEASE\nDRUG\n\n"
        "[relations]\n<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n"
        "Equiv\tArg1:<ENTITY>, Arg2:<ENTITY>, <REL-TYPE>:symmetric-transitive\n"
        "Same\tArg1:<ENTITY>, Arg2:<ENTITY>\nTreats\tArg1:<ENTITY>, Arg2:<ENTITY>\n\n"
        "[events]\n\n"
        "[attributes]\nCertainty\tArg:<ANY>, Value:high|low\nNegated\tArg:<ANY>\nOld\tArg:<ANY>\n"
    )


def test_events_have_their_roles_without_numbers_and_may_stand_where_mentions_do() -> None:
    annotations = (
        "T1\tGIVEN 0 5\tgiven\nT2\tDRUG 6 7\tx\nT3\tDRUG 8 9\ty\nT4\tSTOPPED 10 11\tz\n"
        "E1\tGIVEN:T1 Theme:T2 Theme2:T3\nE2\tGIVEN:T1 Cause:E3\nE3\tSTOPPED:T4\nR1\tBefore Arg1:E1 Arg2:E3\n"
    )
    some = "<ENTITY>|<EVENT>"
    assert configuration(annotations) == (
        "[entities]\nDRUG\n\n"
        f"[relations]\n<OVERLAP>\tArg1:{some}, Arg2:{some}, <OVL-TYPE>:<ANY>\nBefore\tArg1:{some}, Arg2:{some}\n\n"
        f"[events]\nGIVEN\tCause*:{some}, Theme*:{some}\nSTOPPED\n\n"
        "[attributes]\n"
    )


def test_a_type_of_triggers_that_is_also_one_of_mentions_is_declared_as_both() -> None:
    said = configuration("T1\tGIVEN 0 5\tgiven\nT2\tGIVEN 6 7\tx\nE1\tGIVEN:T1 Theme:T2\n")
    assert said.startswith("[entities]\nGIVEN\n\n") and "\n[events]\nGIVEN\tTheme*:" in said


@pytest.mark.parametrize("value", ["rather high", "high,low", "high|low"])
def test_a_value_that_the_configuration_cannot_hold_is_not_declared(value: str) -> None:
    said = configuration(f"T1\tDRUG 6 7\tx\nA1\tCertainty T1 {value}\nA2\tCertainty T1 none\n")
    assert said.endswith("[attributes]\nCertainty\tArg:<ANY>, Value:none\n")


def test_notes_normalisations_and_lines_that_cannot_be_read_declare_nothing() -> None:
    plain = "T1\tDRUG 6 7\tx\n"
    assert configuration(plain + "#1\tAnnotatorNotes T1\tx\nN1\tReference T1 ATC:1\tx\nR1\tHalf Arg1:T1\nno line\n\n") == configuration(
        plain
    )
