import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.marks import MarkedMention, MarkError, parse_marks
from pipeline_lib.corpus.text import slices

PLAIN = st.text(st.characters(exclude_characters="<>", exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30)
NAMES = [f"{letter}{number}" for letter in "dsp" for number in (1, 2, 13)]


def test_a_text_without_marks_is_itself() -> None:
    assert parse_marks("no asthma\n") == ("no asthma\n", [])


def test_a_mark_becomes_a_mention_of_its_letters_label() -> None:
    text, mentions = parse_marks("<d1>asthma</d1>, <s2>cough</s2> and <p13>CT</p13>")
    assert text == "asthma, cough and CT"
    assert mentions == [
        MarkedMention("d1", "DISEASE", (0,), (6,)),
        MarkedMention("s2", "SYMPTOM", (8,), (13,)),
        MarkedMention("p13", "PROCEDURE", (18,), (20,)),
    ]


def test_offsets_count_code_points() -> None:
    text, (mention,) = parse_marks("tos 🤒 «<s1>fiebre, 39 °C</s1>»")
    assert (text, mention.starts, mention.ends) == ("tos 🤒 «fiebre, 39 °C»", (7,), (20,))


@pytest.mark.parametrize(
    ("marked", "surfaces"),
    [
        pytest.param("<d13><d14>COPD</d14> flare</d13>", {"d13": "COPD flare", "d14": "COPD"}, id="marks may nest"),
        pytest.param("<s1>red <s2>hot</s1> skin</s2>", {"s1": "red hot", "s2": "hot skin"}, id="marks may cross"),
        pytest.param(
            "<s1>pain</s1> and <s2>swelling <s1>of the knee</s1></s2>",
            {"s1": "pain of the knee", "s2": "swelling of the knee"},
            id="a name used twice is one discontinuous mention",
        ),
        pytest.param("<s2><s1>oral</s1></s2> sores", {"s1": "oral", "s2": "oral"}, id="two mentions may share their span"),
    ],
)
def test_a_mention_is_what_its_marks_enclose(marked: str, surfaces: dict[str, str]) -> None:
    text, mentions = parse_marks(marked)
    assert {mention.name: slices(text, mention.starts, mention.ends) for mention in mentions} == surfaces


def test_mentions_come_in_order_of_first_offset_the_longest_first() -> None:
    _, mentions = parse_marks("<s3>pain</s3>, <p2><p9>MRI</p9> of brain</p2> and <p9>cord</p9>, <d1>MS</d1>")
    assert [mention.name for mention in mentions] == ["s3", "p9", "p2", "d1"]


def test_fragments_come_in_text_order() -> None:
    _, (mention,) = parse_marks("<s1>sharp</s1> and, <s1>at night</s1>, <s1>bad</s1>")
    assert (mention.starts, mention.ends) == ((0, 11, 21), (5, 19, 24))


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("flu</d1>", "mark d1 closed unopened at offset 3"),
        ("<d1>flu</d1></d1>", "mark d1 closed unopened at offset 12"),
        ("<d1>flu <d1>A</d1></d1>", "mark d1 opened twice at offset 8"),
        ("a <d1>flu</d2>", "mark d2 closed unopened at offset 9"),
        ("a <d1>flu", "mark d1 never closed, opened at offset 2"),
        ("a <d1></d1>flu", "mark d1 empty or edged with white space at plain offset 2"),
        ("a <d1>flu </d1>", "mark d1 empty or edged with white space at plain offset 2"),
        ("a <d1>\nflu</d1>", "mark d1 empty or edged with white space at plain offset 2"),
        ("pH < 7", "angle bracket of no mark at offset 3"),
        ("pH > 7", "angle bracket of no mark at offset 3"),
        ("<x1>flu</x1>", "angle bracket of no mark at offset 0"),
        ("<d>flu</d>", "angle bracket of no mark at offset 0"),
        ("<d1 >flu</d1>", "angle bracket of no mark at offset 0"),
        ("<d\u0661>flu</d\u0661>", "angle bracket of no mark at offset 0"),
    ],
)
def test_broken_marks_are_refused_with_the_mark_and_its_offset_only(marked: str, message: str) -> None:
    with pytest.raises(MarkError, match=f"^{re.escape(message)}$"):
        parse_marks(marked)


@given(PLAIN, st.data())
def test_marks_put_into_any_text_are_read_back_with_its_offsets(plain: str, data: st.DataObject) -> None:
    offsets = st.integers(0, len(plain))
    spans = {
        name: data.draw(st.tuples(offsets, offsets).filter(lambda span: span[0] < span[1]))
        for name in data.draw(st.lists(st.sampled_from(NAMES), unique=True))
    }
    marked = "".join(
        "".join(f"</{name}>" for name, (_, end) in spans.items() if end == offset)
        + "".join(f"<{name}>" for name, (start, _) in spans.items() if start == offset)
        + plain[offset : offset + 1]
        for offset in range(len(plain) + 1)
    )
    text, mentions = parse_marks(marked)
    assert text == plain
    assert {mention.name: (mention.starts, mention.ends) for mention in mentions} == {
        name: ((start,), (end,)) for name, (start, end) in spans.items()
    }
