import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.corpus import ANNOTATION_LINES, MENTIONS
from pipeline_lib.corpus.annotation_lines import KINDS
from pipeline_lib.corpus.brat import (
    Mention,
    Standoff,
    check_against,
    format_file,
    format_mention,
    parse,
    verbatim,
    write,
)
from pipeline_lib.corpus.standoff_rows import from_rows, line_rows, mention_rows
from pipeline_lib.corpus.text import choose_reading, slices

TEXT = "fever and dry cough\nsince Monday; atrial\nflutter"
NAMES = st.sampled_from(["T1", "T2", "T3", "T03", "R1", "#1", "*", "Ta"])
OFFSETS = st.sampled_from(["0 5", "10 19", "14 19;10 13", "34 48", "5 5", "-1 3", "40 900", "00 5", "0  5", "x y", "0 5;"])
SURFACES = st.sampled_from(
    ["fever", "dry cough", "cough dry", "atrial flutter", "chills", "", "fever\textra", "fever\u2028", "fever\r", "atrial"]
)
LINES = (
    st.builds("{}\tSYMPTOM {}\t{}".format, NAMES, OFFSETS, SURFACES)
    | st.sampled_from(["flutter", "cough", ""])
    | st.text(alphabet="T1#\t 0;\r\x0b\x85\u2028é", max_size=12)
)
TERMINATORS = st.sampled_from(["\n", "\r\n", "\n\n", "\r\r\n"])
FILES = st.builds(
    lambda bom, lines, last: bom + "".join(line + end for line, end in lines) + last,
    st.sampled_from(["", "\ufeff"]),
    st.lists(st.tuples(LINES, TERMINATORS), max_size=8),
    st.just("") | LINES,
)


def rows_of(standoff: Standoff) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return mention_rows(standoff, "case-01", "en", "en/case-01.ann"), line_rows(standoff, "case-01", "en")


def codes(standoff: Standoff) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in standoff.problems]


@given(st.text(alphabet="T1AB\t 059;-\r\n#\ufeff\x0b\x1c\x85\u2028é", max_size=80) | FILES | st.text())
def test_any_file_is_written_back_as_it_was_read(data: str) -> None:
    standoff = parse(data)
    assert write(standoff.mentions, standoff.others) == data
    checked = check_against(standoff, TEXT)
    assert write(checked.mentions, checked.others) == data


@settings(deadline=None)  # the first call warms polars up
@given(FILES)
def test_any_file_survives_its_tables_which_keep_their_contracts(data: str) -> None:
    mentions, lines = rows_of(check_against(parse(data), TEXT))
    mention_table, line_table = MENTIONS.table(mentions), ANNOTATION_LINES.table(lines)
    MENTIONS.check(mention_table)
    ANNOTATION_LINES.check(line_table)
    assert from_rows(mention_table.to_pylist(), line_table.to_pylist()) == data


@given(FILES)
def test_every_line_is_a_mention_or_another_line_and_every_refused_mention_has_one_problem(data: str) -> None:
    checked = check_against(parse(data), TEXT)
    lines = data.count("\n") + (not data.endswith("\n") and data != "")
    taken = [mention.line + extra for mention in checked.mentions for extra in range(verbatim(mention).count("\n") + 1)]
    taken += [other.line for other in checked.others]
    assert sorted(taken) == list(range(1, lines + 1))
    assert [problem.line for problem in checked.problems] == [other.line for other in checked.others if other.kind == "T"]


@given(FILES)
def test_an_accepted_mention_holds_exactly_what_the_text_holds(data: str) -> None:
    for mention in check_against(parse(data), TEXT).mentions:
        assert mention.surface == slices(TEXT, mention.starts, mention.ends)


@given(FILES.map(lambda data: data.replace("fever", "\u75c5").replace("chills", "\u75c5").replace("SYMPTOM", "\u75c5")))
def test_no_problem_repeats_what_the_file_says(data: str) -> None:
    assert "\u75c5" not in repr(check_against(parse(data), TEXT).problems)


@given(st.text(min_size=1), st.data())
def test_mentions_of_any_text_written_fresh_are_all_accepted_again(text: str, data: st.DataObject) -> None:
    spans = data.draw(st.lists(st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda span: span[0] < span[1])))
    mentions = [
        Mention(f"T{number}", "DISEASE", (start,), (end,), text[start:end], number, "\n", None)
        for number, (start, end) in enumerate(spans, start=1)
    ]
    checked = check_against(parse(format_file(mentions)), text)
    assert list(checked.mentions) == mentions
    assert (checked.others, checked.problems) == ((), ())


def test_a_mention_reads_as_its_id_label_fragments_and_surface() -> None:
    (mention,) = parse("T7\tSYMPTOM 14 19;10 13\tcough dry\r\n").mentions
    assert mention == Mention("T7", "SYMPTOM", (14, 10), (19, 13), "cough dry", 1, "\r\n", None)
    assert format_mention(mention) == "T7\tSYMPTOM 14 19;10 13\tcough dry"


@pytest.mark.parametrize("kind", KINDS[1:])
def test_other_standoff_lines_are_kept_by_kind(kind: str) -> None:
    (other,) = parse(f"{kind}1\tanything at all").others
    assert (other.kind, other.raw, other.terminator) == (kind, f"{kind}1\tanything at all", "")


@pytest.mark.parametrize(
    "line", ["", " ", "t1\tSYMPTOM 0 5\tfever", "\u00a0", "continued text", "Tos seca", "T", "Rx de torso", "R 1\tx", "Na 140"]
)
def test_a_line_of_no_known_kind_is_kept_without_a_problem(line: str) -> None:
    standoff = parse(f"{line}\n")
    assert [(other.kind, other.raw) for other in standoff.others] == [("?", line)]
    assert standoff.problems == ()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("T\tSYMPTOM 0 5\tfever", "bad_line"),
        ("Tx\tSYMPTOM 0 5\tfever", "bad_line"),
        ("T1 SYMPTOM 0 5 fever", "bad_line"),
        ("T1\tSYMPTOM 0 5", "bad_line"),
        ("T1\tSYMPTOM\t0 5\tfever", "bad_line"),
        ("T1\tDRY COUGH 10 19\tdry cough", "bad_line"),
        ("T1\tSYMPTOM 0 5;\tfever", "bad_line"),
        ("T1\tSYMPTOM 0 \u0665\tfever", "bad_line"),
        (f"T1\tSYMPTOM 0 {'9' * 5000}\tfever", "bad_line"),
        ("T1\tSYMPTOM 5 5\tfever", "bad_offsets"),
        ("T1\tSYMPTOM -5 5\tfever", "bad_offsets"),
        ("T1\tSYMPTOM 0 5;19 10\tfever", "bad_offsets"),
        ("T1\tSYMPTOM 0 999999999999999999\tfever", "span_out_of_text"),
        ("T1\tSYMPTOM 40 49\tflutter", "span_out_of_text"),
        ("T1\tSYMPTOM 1 6\tfever", "surface_mismatch"),
        ("T1\tSYMPTOM 0 5\tFever", "surface_mismatch"),
        ("T1\tSYMPTOM 0 5\t", "surface_mismatch"),
    ],
)
def test_a_broken_mention_is_refused_with_the_code_of_its_rule(line: str, code: str) -> None:
    checked = check_against(parse(line), TEXT)
    assert codes(checked) == [(1, code)]
    assert [(other.kind, other.raw) for other in checked.others] == [("T", line)]


def test_the_second_mention_of_an_id_is_refused_and_the_first_stays() -> None:
    standoff = parse("T1\tSYMPTOM 5 5\tx\nT1\tSYMPTOM 0 5\tfever\nT1\tSYMPTOM 10 19\tdry cough\n")
    assert [mention.line for mention in standoff.mentions] == [2]
    assert codes(standoff) == [(1, "bad_offsets"), (3, "duplicate_id")]


def test_only_line_feeds_end_a_line() -> None:
    standoff = parse("#1\tNote\u2028still\x85the\x0bsame\x0cline\x1c\r\n#2\tnext\rhere")
    assert [(other.line, other.terminator) for other in standoff.others] == [(1, "\r\n"), (2, "")]


def test_a_line_break_in_the_text_may_be_a_space_in_the_file() -> None:
    checked = check_against(parse("T1\tDISEASE 34 48\tatrial flutter\n"), TEXT)
    assert [(mention.surface, mention.raw) for mention in checked.mentions] == [("atrial\nflutter", None)]


def test_a_line_that_is_valid_but_not_canonical_is_remembered() -> None:
    data = "\ufeffT1\tSYMPTOM 0 5\tfever\nT2\tSYMPTOM 010 19\tdry\u00a0cough\n"
    checked = check_against(parse(data), TEXT)
    assert [mention.surface for mention in checked.mentions] == ["fever", "dry cough"]
    assert [mention.raw for mention in checked.mentions] == data.splitlines()


def test_a_tab_inside_the_surface_belongs_to_it() -> None:
    text = "dose\t5 mg"
    checked = check_against(parse("T1\tMEDICATION 0 9\tdose\t5 mg\n"), text)
    assert [mention.surface for mention in checked.mentions] == [text]


def test_overlapping_fragments_and_identical_spans_are_accepted() -> None:
    checked = check_against(parse("T1\tSYMPTOM 0 5;0 5\tfever fever\nT2\tSYMPTOM 0 5;0 5\tfever fever\n"), TEXT)
    assert (len(checked.mentions), checked.problems) == (2, ())


@pytest.mark.parametrize(
    ("line", "envelope"),
    [
        ("T1\tSYMPTOM 5 5\tfever", (5, 5)),
        ("T1\tSYMPTOM -5 5\tfever", (-5, 5)),
        ("T1\tSYMPTOM 7 9;0 5\tfever", (0, 9)),
        ("T1\tSYMPTOM 40 999999999999999999\tflutter", (40, 999999999999999999)),
        ("T1 SYMPTOM 0 5 fever", (0, 5)),
        ("T1\tSYMPTOM\t0 5;7 9\tfever", (0, 9)),
        ("\ufeffT1\tSYMPTOM 0 5", (0, 5)),
        ("T1\tSYMPTOM 0 5;\tfever", (0, 5)),
        ("T1\tSYMPTOM 0\tfever", (None, None)),
        (f"T1\tSYMPTOM 0 {'9' * 5000}\tfever", (None, None)),
        ("T1\tfever 38 since 2 5", (None, None)),
    ],
)
def test_a_problem_says_where_its_line_claims_to_be(line: str, envelope: tuple[int | None, int | None]) -> None:
    (problem,) = check_against(parse(line), TEXT).problems
    assert (problem.start, problem.end) == envelope


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (TEXT, "T1\tDISEASE 34 48\tatrial\nflutter\n"),
        (TEXT, "T1\tDISEASE 34 48\tatrial\r\nflutter\r\n"),
        (TEXT, "\ufeffT1\tDISEASE 34 48\tatrial\nflutter\n"),
        (TEXT.replace("\n", "\r\n"), "T1\tDISEASE 34 48\tatrial\nflutter\n"),
        (TEXT.replace("\n", "\r\n"), "T1\tDISEASE 35 50\tatrial\r\nflutter\r\n"),
        (TEXT.replace("\n", "\r\n"), "T1\tDISEASE 35 50\tatrial\nflutter\n"),
    ],
)
def test_a_mention_broken_over_several_lines_is_put_together(text: str, data: str) -> None:
    parsed = parse(data + "continued\n")
    _, read = choose_reading(text, parsed.mentions)
    checked = check_against(parsed, read)
    (mention,) = checked.mentions
    assert mention.surface.split() == ["atrial", "flutter"]
    assert verbatim(mention) + mention.terminator == data
    assert [(other.line, other.kind, other.raw) for other in checked.others] == [(3, "?", "continued")]


def test_a_broken_mention_may_end_its_file_without_a_line_break() -> None:
    (mention,) = check_against(parse("T1\tDISEASE 34 48\tatrial\nflutter"), TEXT).mentions
    assert (mention.raw, mention.terminator) == ("T1\tDISEASE 34 48\tatrial\nflutter", "")


def test_a_broken_mention_takes_blank_lines_and_fragments_into_its_length() -> None:
    text = "Tos seca\n\nRx de torso, normal"
    data = "T1\tSYMPTOM 0 3;4 21\tTos seca\n\nRx de torso\nT2\tSYMPTOM 0 3\tTos\n"
    first, second = check_against(parse(data), text).mentions
    assert (first.surface, first.raw, first.line) == ("Tos seca\n\nRx de torso", "T1\tSYMPTOM 0 3;4 21\tTos seca\n\nRx de torso", 1)
    assert (second.id, second.line) == ("T2", 4)


@pytest.mark.parametrize("rest", ["flatter", "flut", "flutter now", "#1\tflu"])
def test_lines_that_do_not_make_up_the_mention_stay_as_they_are_and_it_is_refused(rest: str) -> None:
    checked = check_against(parse(f"T1\tDISEASE 34 48\tatrial\n{rest}\nT2\tSYMPTOM 0 5\tfever\n"), TEXT)
    assert codes(checked) == [(1, "surface_mismatch")]
    assert [(other.line, other.kind, other.raw) for other in checked.others] == [
        (1, "T", "T1\tDISEASE 34 48\tatrial"),
        (2, "#" if rest.startswith("#") else "?", rest),
    ]
    assert [mention.id for mention in checked.mentions] == ["T2"]


def test_an_empty_file_is_an_empty_standoff() -> None:
    assert parse("") == Standoff((), (), ())
    assert format_file([]) == ""


@pytest.mark.parametrize("label", ["*", "A\x00", "A\u200b"])
def test_what_cannot_be_a_label_is_a_reject_and_its_line_stays(label: str) -> None:
    standoff = parse(f"T1\t{label} 0 5\tfever\n")
    assert standoff.mentions == () and [problem.code for problem in standoff.problems] == ["bad_label"]
    assert write(standoff.mentions, standoff.others) == f"T1\t{label} 0 5\tfever\n"
