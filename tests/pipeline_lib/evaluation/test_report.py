"""The report: one page, self-contained, escaped, the same bytes every time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.report import ReportData, render_report
from pipeline_lib.evaluation.scale import Scale, SlowDocument, Stored
from pipeline_lib.progress.stage_time import StageTime
from tests.pipeline_lib.evaluation.stages import long_run

VOID = {"meta", "br", "link", "img"}
HOSTILE = "<script>alert(1)</script>"


def score_rows(lang: str, label: str, gold: int = 100) -> list[dict[str, object]]:
    strict: dict[str, object] = {"target_lang": lang, "label": label, "metric": "strict", "precision": 0.8, "recall": 0.9, "f1": 0.8471}
    strict |= {"low": 0.8012, "high": 0.8834, "gold": gold, "predicted": 112, "matched": 90, "documents": 17}
    return [strict, strict | {"metric": "char", "f1": 0.9523, "low": 0.93, "high": 0.97, "matched": None}]


def scores(langs: tuple[str, ...], labels: list[str]) -> object:
    return SCORES.table([row for lang in langs for label in [*labels, "*"] for row in score_rows(lang, label)])


def summary(langs: tuple[str, ...] = ("en", "cz"), labels: tuple[str, ...] = ("DISEASE", "SYMPTOM")) -> ReportData:
    return ReportData(
        title="Cardiology",
        corpus="sample",
        source="es",
        targets=langs,
        profile="multiclin",
        aligner="student",
        run_id="run-7",
        model="b81e07",
        scores=scores(langs, list(labels)),
        documents=1439,
        mentions=1000,
        projected=dict.fromkeys(langs, 970),
        abstentions={(langs[0], "no_mass"): 21, (langs[0], "below_confidence"): 9},
        carried={langs[0]: 1234},
        stayed={(langs[0], "malformed_line"): 7},
        rejects={("read", "surface_mismatch"): 5},
        warnings={"edge_whitespace": 3, "not_nfc": 11},
        stages=(StageTime("read", 1.5, 8, 0), StageTime("embed", 120.0, 5, 3)),
        config='[sharpen]\nreg = 0.05\nnote = "<b>"\n',
    )


class Tags(HTMLParser):
    """Collects start tags and complains of tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> list[str]:
    parser = Tags()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser.seen


def test_the_same_data_give_the_same_bytes() -> None:
    assert render_report(summary()).encode() == render_report(summary()).encode()


def test_the_page_nests_and_needs_no_script_and_no_request() -> None:
    page = render_report(summary())
    assert not {"script", "link", "img", "iframe", "object"} & set(tags(page))
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)|url\((?!#)|@import""", page)


def test_labels_and_names_are_escaped_everywhere() -> None:
    hostile = replace(
        summary(labels=(HOSTILE, "$x_1$ & 症状")),
        title=HOSTILE,
        run_id=HOSTILE,
        rejects={("read", HOSTILE): 1},
        abstentions={("en", HOSTILE): 1},
    )
    page = render_report(hostile)
    assert "script" not in tags(page)
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") >= 6
    assert "$x_1$ &amp; 症状" in page


def test_headlines_scores_and_counts_are_shown() -> None:
    page = render_report(summary())
    for figure in (
        "0.8471",
        "0.9523",
        "0.801\u20130.883",
        "1,439",
        "97.0 %",
        "1,940 of 2,000",
        "112",
        "surface_mismatch",
        "no_mass",
        "1,234",
        "malformed_line",
        "edge_whitespace",
        "5 built, 3 reused",
    ):
        assert figure in page
    assert "reg = 0.05" in page
    assert "run-7" in page and "b81e07" in page


def test_the_slowest_stage_fills_its_bar() -> None:
    page = render_report(summary())
    assert re.findall(r"width: ([\d.]+)%\"", page) == ["1.2", "100.0"]


def test_colours_come_from_the_style_sheet_in_light_and_dark() -> None:
    page = render_report(summary())
    assert "prefers-color-scheme: dark" in page
    drawn = page[page.index("<svg") : page.index("</svg>")]
    assert "var(--lang-0)" in drawn and "var(--lang-1)" in drawn
    assert not re.search(r"#0[1-5]0[1-5]0", drawn)


def test_without_gold_the_page_says_so() -> None:
    page = render_report(replace(summary(), scores=SCORES.schema.empty_table()))
    assert "There is no gold" in page
    assert "<svg" not in page and "strict F1" not in page


def test_without_rejects_and_abstentions_the_page_says_so() -> None:
    page = render_report(replace(summary(), rejects={}, abstentions={}))
    assert "every file and every line was taken" in page
    assert "no mention was left out on purpose" in page


def test_a_source_without_notes_relations_and_irregularities_has_no_cards_for_them() -> None:
    full, bare = render_report(summary()), render_report(replace(summary(), carried={"en": 0}, stayed={}, warnings={}))
    for heading in ("Notes and relations", "Irregularities"):
        assert heading in full and heading not in bare


def test_a_run_of_nothing_is_a_page_too() -> None:
    empty = replace(summary(), scores=SCORES.schema.empty_table(), documents=0, mentions=0, projected={}, abstentions={}, stages=())
    assert "n/a" in render_report(empty)


@pytest.mark.parametrize(("langs", "labels"), [(1, 1), (6, 1), (1, 30), (6, 30), (8, 2)])
def test_every_label_and_language_is_drawn(langs: int, labels: int) -> None:
    names = tuple(f"LABEL_{number:02d}" for number in range(labels))
    page = render_report(summary(tuple(f"l{number}" for number in range(langs)), names))
    drawn = page[page.index("<svg") : page.index("</svg>")]
    assert all(f">{name}<" in drawn for name in names)
    assert (">all labels<" in drawn) == (labels > 1)
    tags(page)


def test_of_very_many_labels_the_most_frequent_are_drawn_and_all_are_tabled() -> None:
    rows = [row for number in range(40) for row in score_rows("en", f"C{number:04d}", gold=100 + number)]
    page = render_report(replace(summary(("en",)), scores=SCORES.table(rows + score_rows("en", "*"))))
    drawn = page[page.index("<svg") : page.index("</svg>")]
    assert ">C0039<" in drawn and ">C0010<" in drawn and ">C0009<" not in drawn
    assert "Of 40 labels the 30 with most gold mentions are drawn" in page
    assert page.count("C0009") == 2


def test_figures_of_a_language_that_is_no_target_are_refused() -> None:
    with pytest.raises(ValueError, match=r"figures for \['cs'\]"):
        replace(summary(), projected={"cs": 3})


STORED = (Stored("transport_plans", 1200, 34, 5_000_000_000, 120_000), Stored("units", 7, 0, 3_000_000, 0))
SLOW = (SlowDocument("case-0815", "alignments", "es-en", 12.345),)


def test_the_scale_of_a_long_run_is_shown_in_a_plot_and_figures() -> None:
    page = render_report(replace(summary(), stages=long_run(5000), scale=Scale(STORED, SLOW)))
    tags(page)
    for figure in ("2,400.0", "75.0", "180,000", "3,750 built, 1,250 reused", "1,234", "1,200", "5.0 GB", "case-0815", "12.35"):
        assert figure in page, figure
    assert page.count("<svg") == 2 and ">segments<" in page
    assert len(page) < 400_000


def test_without_slow_documents_rejects_and_counts_their_places_are_left_out() -> None:
    page = render_report(summary())
    for heading in ("Slowest documents", "Artifacts", "<th>rejects</th>", "since the run began"):
        assert heading not in page
    assert "Scale" in page and page.count("<svg") == 1


def test_hostile_ids_are_escaped_in_the_scale_too() -> None:
    page = render_report(replace(summary(), scale=Scale((Stored(HOSTILE, 1, 0, 1, 0),), (SlowDocument(HOSTILE, HOSTILE, HOSTILE, 1.0),))))
    assert HOSTILE not in page and "script" not in tags(page)
