"""Reading what is scored, as the official reader reads it."""

from pathlib import Path

import pytest

from pipeline_lib.evaluation.annotations import ScoreInputError, read_ann_folder, read_annotations, read_gold, read_tsv

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"


def written(folder: Path, content: str, name: str = "run.tsv") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def read(folder: Path, content: str) -> list[tuple[object, ...]]:
    return read_tsv(written(folder, content)).rows()


def test_plain_rows_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "d1\tDISEASE\t10\t18\tasma\nd2\tDISEASE\t5\t13\ttos\n") == [
        ("d1", "DISEASE", 10, 18, "asma"),
        ("d2", "DISEASE", 5, 13, "tos"),
    ]


def test_the_header_typo_extra_columns_and_another_order_are_understood(tmp_path: Path) -> None:
    content = "mark\tlabel\ttext\tfilename\tend_span\tstrat_span\tcode\nT1\tX\ta\td1\t2\t1\t38341003\n"
    assert read(tmp_path, content) == [("d1", "X", 1, 2, "a")]


def test_a_quoted_field_holds_tabs_quotes_and_line_breaks(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + 'd1\tX\t1\t9\t"a\tb\r\nc ""d"""\nd2\tX\t1\t2\te\n') == [
        ("d1", "X", 1, 9, 'a\tb\r\nc "d"'),
        ("d2", "X", 1, 2, "e"),
    ]


def test_a_quote_inside_a_field_is_a_character(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + 'd1\tX\t1\t9\tsay "a" now\n')[0][4] == 'say "a" now'


def test_a_text_that_starts_with_a_quote_is_read_where_it_is_quoted(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + 'd1\tX\t1\t9\t"""status"\nd2\tX\t1\t2\te\n') == [("d1", "X", 1, 9, '"status'), ("d2", "X", 1, 2, "e")]


@pytest.mark.parametrize(
    "rows",
    [
        'd1\tX\t1\t2\t"a\nd2\tX\t1\t2\tb"\nd3\tX\t1\t2\tc\n',
        'd1\tX\t1\t2\t"a\nd2\tX\t1\t2\tb\nd3\tX\t1\t2\t"c\n',
        'd1\tX\t1\t2\t"a\r\nd2\tX\t1\t2\tb"\r\n',
    ],
)
def test_a_raw_unbalanced_quote_that_swallows_rows_is_refused(tmp_path: Path, rows: str) -> None:
    with pytest.raises(ScoreInputError, match=r"run\.tsv: row 1 swallows the rows below it: .* has to be quoted"):
        read(tmp_path, HEADER + rows)


def test_a_bom_crlf_blank_lines_and_a_missing_last_line_break_do_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + HEADER.replace("\n", "\r\n") + "d1\tX\t1\t2\ta\r\n\r\n  \r\nd2\tX\t3\t4\tb") == [
        ("d1", "X", 1, 2, "a"),
        ("d2", "X", 3, 4, "b"),
    ]


def test_a_row_that_ends_before_the_text_has_none(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "d1\tX\t1\t2\n") == [("d1", "X", 1, 2, None)]


def test_whole_numbers_written_as_decimals_are_integers(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "d1\tX\t1.0\t 2 \ta\n") == [("d1", "X", 1, 2, "a")]


def test_words_that_pandas_takes_for_missing_stay_words(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER + "null\tNA\t1\t2\tNone\n") == [("null", "NA", 1, 2, "None")]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "no header"),
        ("filename\tlabel\tend_span\ttext\n", r"missing columns \['start_span'\]"),
        ("filename\tlabel\tstart_span\tend_span\nd1\tX\t1\t2\n", r"missing columns \['text'\]"),
        (HEADER + "d1\tX\t1\t2\ta\nd1\tX\tone\t2\ta\n", "start_span is not an integer: 1 rows, the first is row 2"),
        (HEADER + "d1\tX\t1\t2.5\ta\n", "end_span is not an integer: 1 rows, the first is row 1"),
        (HEADER + "d1\tX\t1\tinf\ta\n", "end_span is not an integer"),
        (HEADER + "d1\tX\t1\n", "end_span is not an integer"),
        (HEADER + "d1\tX\t1\t2\ta\nd1\tX\t7\t7\ta\nd1\tX\t9\t7\ta\n", "end_span <= start_span: 2 rows, the first is row 2"),
        (HEADER + "d1\t\t1\t2\ta\n", "rows without a label: 1 rows"),
        (HEADER + "\tX\t1\t2\ta\n", "rows without a filename: 1 rows"),
        (HEADER + "d1\tX\t1\t2\ta\nd1\t*\t1\t2\ta\n", r"label \* stands for all labels: 1 rows, the first is row 2"),
        (HEADER.replace("text", '"text') + "d1\tX\t1\t2\ta\n", "the header: unreadable, a quoted field is never closed"),
        (HEADER.replace("text", '"text') + 'd1\tX\t1\t2\ta"\n', "the header swallows the rows below it"),
        (HEADER + "d1\tX\t1\t2\ta\td\n", "row 1 has 6 fields, the header has 5"),
        (HEADER + 'd1\tX\t1\t2\t"a\n', "a quoted field is never closed: .* has to be quoted"),
        (HEADER + 'd1\tX\t1\t2\t"a\nd2\tX\t1\t2\tb\n', "a quoted field is never closed"),
        (HEADER + 'd1\tX\t1\t2\t"' + "a" * 200_000 + '"\n', "field larger than field limit"),
    ],
)
def test_a_broken_file_is_refused_by_name_and_rule(tmp_path: Path, content: str, rule: str) -> None:
    with pytest.raises(ScoreInputError, match=rf"run\.tsv: .*{rule}"):
        read(tmp_path, content)


def test_no_error_repeats_the_text(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError) as caught:
        read(tmp_path, HEADER + "d1\tX\tsecreto\t2\tsecreto\n")
    assert "secreto" not in str(caught.value)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.tsv"
    path.write_bytes(HEADER.encode() + b"d1\tX\t1\t2\t\xe9\n")
    with pytest.raises(ScoreInputError, match=r"run\.tsv: unreadable, not UTF-8 at byte"):
        read_tsv(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match=r"none\.tsv: unreadable"):
        read_annotations(tmp_path / "none.tsv")


def test_a_folder_gives_the_mentions_of_each_file_under_its_stem(tmp_path: Path) -> None:
    written(tmp_path, "T1\tX 0 4\tasma\n#1\tAnnotatorNotes T1\tnote\nT2\tY 5 8\ttos\n", "b.ann")
    written(tmp_path, "T1\tX 3 6\ttos\n", "a.v2.ann")
    written(tmp_path, "", "empty.ann")
    assert read_annotations(tmp_path).rows() == [("a.v2", "X", 3, 6, "tos"), ("b", "X", 0, 4, "asma"), ("b", "Y", 5, 8, "tos")]


def test_a_fragmented_mention_counts_with_its_envelope(tmp_path: Path) -> None:
    written(tmp_path, "T1\tX 10 12;0 4\tde asma\n", "a.ann")
    assert read_ann_folder(tmp_path).rows() == [("a", "X", 0, 12, "de asma")]


def test_a_mention_line_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "T1\tX 0 4\tasma\nT2\tX 9 9\ttos\n", "a.ann")
    with pytest.raises(ScoreInputError, match=r"a\.ann: 1 T lines are no mentions, the first is line 2") as caught:
        read_ann_folder(tmp_path)
    assert "tos" not in str(caught.value)


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match=r"no \.ann file"):
        read_ann_folder(tmp_path)


def test_a_mention_that_stands_for_all_labels_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "T1\t* 0 4\tasma\n", "a.ann")
    with pytest.raises(ScoreInputError, match=r"a\.ann: "):
        read_ann_folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\ufeffno pain\r\nhigh fever", "T1\tX 10 20\thigh fever\n"),
        ("\ufeffno pain\r\nhigh fever", "T1\tX 9 19\thigh fever\n"),
        ("\ufeffno pain\r\nhigh fever", "T1\tX 8 18\thigh fever\n"),
    ],
)
def test_beside_its_text_a_mention_has_the_offsets_of_a_run_whatever_it_counts(tmp_path: Path, text: str, line: str) -> None:
    written(tmp_path, text, "a.txt")
    written(tmp_path, line, "a.ann")
    assert read_ann_folder(tmp_path).rows() == read_gold(tmp_path).mentions.rows() == [("a", "X", 9, 19, "high fever")]


def test_beside_its_text_a_fragmented_mention_has_the_text_of_its_envelope(tmp_path: Path) -> None:
    written(tmp_path, "asma y tos", "a.txt")
    written(tmp_path, "T1\tX 7 10;0 4\ttos asma\n", "a.ann")
    assert read_ann_folder(tmp_path).rows() == [("a", "X", 0, 10, "asma y tos")]


BESIDE = "T1\tX 0 4\tasma\nT2\tX 90 94\tasma\nT3\tX 0 4\ttos \nT4 broken\n"


def test_gold_that_its_text_does_not_bear_out_is_left_out_and_counted(tmp_path: Path) -> None:
    written(tmp_path, "asma y tos", "a.txt")
    written(tmp_path, BESIDE, "a.ann")
    gold = read_gold(tmp_path)
    assert gold.mentions.rows() == [("a", "X", 0, 4, "asma")]
    assert gold.left_out == 3


def test_predictions_that_their_text_does_not_bear_out_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "asma y tos", "a.txt")
    written(tmp_path, BESIDE, "a.ann")
    with pytest.raises(ScoreInputError, match=r"a\.ann: 3 T lines are no mentions, the first is line 2") as caught:
        read_annotations(tmp_path)
    assert "asma" not in str(caught.value)


def test_gold_without_its_text_is_refused_where_a_line_is_no_mention(tmp_path: Path) -> None:
    written(tmp_path, BESIDE, "a.ann")
    with pytest.raises(ScoreInputError, match=r"a\.ann: 1 T lines are no mentions, the first is line 4"):
        read_gold(tmp_path)


@pytest.mark.parametrize(("name", "data"), [("a.txt", b"\xff"), ("a.txt", b" \n"), ("a.ann", b"\xff")])
def test_a_file_that_cannot_be_read_is_refused_as_gold_too(tmp_path: Path, name: str, data: bytes) -> None:
    written(tmp_path, "asma y tos", "a.txt")
    written(tmp_path, "T1\tX 0 4\tasma\n", "a.ann")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ScoreInputError, match=rf"{name}: "):
        read_gold(tmp_path)


def test_labels_of_gold_are_renamed_whatever_it_is_read_from(tmp_path: Path) -> None:
    table = written(tmp_path, HEADER + "a\tX\t0\t4\tasma\na\tY\t7\t10\ttos\n")
    (tmp_path / "ann").mkdir()
    written(tmp_path / "ann", "T1\tX 0 4\tasma\nT2\tY 7 10\ttos\n", "a.ann")
    for path in (table, tmp_path / "ann"):
        gold = read_gold(path, {"X": "Y", "Y": "Z"})
        assert (gold.mentions["label"].to_list(), gold.left_out) == (["Y", "Z"], 0)


def test_no_label_is_renamed_to_that_of_all(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match="stands for all labels"):
        read_gold(written(tmp_path, HEADER + "a\tX\t0\t4\tasma\n"), {"X": "*"})
