import io
import re

import polars as pl
from rich.console import Console, RenderableType

from flows import console
from flows.console import comparison_table, count_table, difference_table, link_table, plain_score_table, score_table
from pipeline_lib.evaluation.compare import Comparison
from pipeline_lib.evaluation.word_alignment import LinkScore


def rendered(what: RenderableType, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(what)
    return file.getvalue()


def row(lang: str, label: str, metric: str, f1: float) -> dict[str, object]:
    return {
        "target_lang": lang,
        "label": label,
        "metric": metric,
        "f1": f1,
        "low": 0.61234,
        "high": 1.0,
        "gold": 123456,
        "predicted": 123450,
    }


SCORES = pl.DataFrame(
    [
        row(lang, label, metric, f1)
        for lang in ("en", "cz")
        for label in ("ENFERMEDAD", "PROCEDIMIENTO_DIAGNOSTICO_O_TERAPEUTICO", "*")
        for metric, f1 in (("strict", 0.8), ("char", 0.91236))
    ]
)


def test_the_score_table_fits_80_columns_and_cuts_no_figure() -> None:
    lines = rendered(score_table(SCORES, "scores")).splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line.split() for line in lines if "123456" in line]
    assert [row[0] for row in rows] == ["en"] * 3 + ["cz"] * 3
    assert all(row[2:] == ["123456", "123450", "0.8000", ".612-1.000", "0.9124", ".612-1.000"] for row in rows)


def test_a_label_is_folded_and_never_cut() -> None:
    rows = [line.split() for line in rendered(score_table(SCORES, "scores")).splitlines()[4:]]
    assert "".join(row[1] if len(row) > 1 else row[0] for row in rows if row) == "ENFERMEDADPROCEDIMIENTO_DIAGNOSTICO_O_TERAPEUTICOall" * 2


def test_the_score_table_shows_four_decimals_strict_before_char() -> None:
    text = rendered(score_table(pl.DataFrame([row("en", "*", "char", 0.5), row("en", "*", "strict", 0.25)]), "scores"), width=120)
    assert re.search(r"en +all +123456 +123450 +0\.2500 +\.612-1\.000 +0\.5000 ", text)
    assert "*" not in text


def test_the_plain_score_table_shows_four_decimals_and_no_match_where_there_is_none() -> None:
    rates = {"precision": 0.5, "recall": 1 / 3, "low": 0.3, "high": 1.0}
    scores = pl.DataFrame(
        [
            row("", "*", "strict", 0.4) | rates | {"matched": 4},
            row("", "PROCEDIMIENTO_DIAGNOSTICO", "char", 0.4) | rates | {"matched": None},
        ]
    )
    text = rendered(plain_score_table(scores))
    figures = ["0.5000", "0.3333", "0.4000", ".300-1.000", "123456", "123450"]
    assert [line.split() for line in text.splitlines() if "0.4000" in line] == [
        ["all", "strict", *figures, "4"],
        ["PROCEDIM", "char", *figures],
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert "NOSTICO" in text.replace("\n", "").replace(" ", "")


def test_a_comparison_shows_signs_and_the_interval() -> None:
    text = rendered(comparison_table([Comparison("*", "strict", 0.9125, 0.8944, 0.0182, -0.0098, 0.0263, 0.000999, 9)]))
    (line,) = [line.split() for line in text.splitlines() if "strict" in line]
    assert line == ["all", "strict", "0.9125", "0.8944", "+0.0182", "-0.0098", "to", "+0.0263", "0.0010"]


def test_differences_are_counted_by_label_and_summed() -> None:
    counts = pl.DataFrame(
        {"label": ["A", "B"], "only_A_right": [1, 2], "only_A_wrong": [0, 1], "only_B_right": [3, 0], "only_B_wrong": [0, 4]}
    )
    lines = [line.split() for line in rendered(difference_table(counts)).splitlines()]
    assert ["A", "1", "0", "3", "0"] in lines
    assert ["all", "3", "1", "3", "4"] in lines


def test_a_count_table_ends_in_its_number() -> None:
    text = rendered(count_table("rejected", ("stage", "code", "count"), [("ingest", "bad_line", 3), ("scan", "no_counterpart", 12)]))
    assert text.startswith("rejected")
    assert re.search(r"│ ingest +│ bad_line +│ +3 │", text)
    assert re.search(r"│ scan +│ no_counterpart +│ +12 │", text)


def test_of_hundreds_of_labels_the_score_table_shows_those_with_most_gold() -> None:
    labels = [(f"C{number:03}", number) for number in range(console.MOST_LABELS + 30)]
    rows = [row("en", label, metric, 0.5) | {"gold": gold} for label, gold in [*labels, ("*", 9999)] for metric in ("strict", "char")]
    text = rendered(score_table(pl.DataFrame(rows), "scores"))
    assert "C030" in text and "C049" in text and "C029" not in text and " all " in text
    assert "of 50 labels the 20 with most gold mentions" in text
    assert "labels the" not in rendered(score_table(SCORES, "scores"))


def test_the_link_table_shows_four_decimals_and_folds_a_long_path() -> None:
    score = LinkScore(0.5, 0.25, 0.3333, 0.6667, 103, 1774, 1980, 1980, 7, 7)
    text = rendered(link_table([("folder/" * 20 + "gold.tsv", score)]))
    assert all(figure in text for figure in ("103", "0.5000", "0.2500", "0.3333", "0.6667", "1980", "1774"))
    assert all(len(line) <= 80 for line in text.splitlines())
