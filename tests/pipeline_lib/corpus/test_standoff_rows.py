"""Standoff as rows, and back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from data_contracts.corpus import ANNOTATION_LINES, MENTIONS
from pipeline_lib.corpus.brat import check_against, parse
from pipeline_lib.corpus.standoff_rows import from_rows, line_rows, mention_rows

TEXT = "fever and cough"
LINES = [
    "T1\tD 0 5\tfever",
    "T2\tD 0 5;10 15\tfever cough",
    "T3\tD 0 5\tfevre",
    "#1\tNote T1\tx",
    "",
    "R1\tWith Arg1:T1 Arg2:T2",
    "T9 broken",
]


@given(st.lists(st.sampled_from(LINES)), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_rows_hold_every_line_once_and_give_the_file_back(lines: list[str], terminator: str, ended: bool) -> None:
    data = terminator.join(lines) + terminator * ended
    standoff = check_against(parse(data), TEXT)
    mentions, others = mention_rows(standoff, "d", "en", "en/d.ann"), line_rows(standoff, "d", "en")
    MENTIONS.check(MENTIONS.table(mentions))
    ANNOTATION_LINES.check(ANNOTATION_LINES.table(others))
    assert len(mentions) + len(others) == data.count("\n") + (data != "" and not data.endswith("\n"))
    assert from_rows(mentions, others) == data


def test_a_renamed_label_leaves_its_line_as_it_was() -> None:
    (mention,) = check_against(parse("T1\tD 0 5\tfever\n"), TEXT).mentions
    renamed = replace(parse(""), mentions=(replace(mention, label="DISEASE", raw="T1\tD 0 5\tfever"),))
    (row,) = mention_rows(renamed, "d", "en", "en/d.ann")
    assert (row["label"], from_rows([row], [])) == ("DISEASE", "T1\tD 0 5\tfever\n")
