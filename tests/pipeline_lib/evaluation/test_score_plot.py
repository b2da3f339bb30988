import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.score_plot import METRIC_TITLES, MOST_LABELS, plot_labels, score_plot
from pipeline_lib.evaluation.svg_theme import COLOURS

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
Values = tuple[float, float, float]


def score_rows(
    lang: str, label: str, strict: Values = (0.8, 0.9, 0.95), char: Values | None = None, gold: int = 10
) -> list[dict[str, object]]:
    """Two rows of SCORES; values are low, f1, high."""
    rows = []
    for metric, (low, f1, high) in (("strict", strict), ("char", char or strict)):
        row: dict[str, object] = {"target_lang": lang, "label": label, "metric": metric, "precision": f1, "recall": f1, "f1": f1}
        rows.append(
            row | {"low": low, "high": high, "gold": gold, "predicted": 10, "matched": 1 if metric == "strict" else None, "documents": 3}
        )
    return rows


def scores(*rows: list[dict[str, object]]) -> pl.DataFrame:
    table = SCORES.table([row for two in rows for row in two])
    SCORES.check(table)
    return pl.DataFrame(table)


@dataclass(frozen=True)
class Panel:
    """One metric as drawn: labels from the top, ticks, and per colour the dots (value, row) and bars (low, high, row)."""

    title: str
    labels: list[str]
    ticks: list[float]
    dots: dict[str, list[tuple[float, float]]]
    bars: dict[str, list[tuple[float, float, float]]]


def panels(svg: str) -> list[Panel]:
    """The figure read back from its coordinates. The label names stand in the first panel only."""
    groups = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("id", "").startswith("axes_")]
    names = [text for text in groups[0].iter(f"{SVG}text") if "text-anchor: end" in text.get("style", "")]
    names.sort(key=lambda name: float(name.get("y", "")))
    rows = [float(name.get("y", "")) for name in names]
    top, pitch = rows[0], (rows[1] - rows[0]) if len(rows) > 1 else 1.0
    return [_panel(group, [str(name.text) for name in names], top, pitch) for group in groups]


def _panel(group: ElementTree.Element, labels: list[str], top: float, pitch: float) -> Panel:
    texts = list(group.iter(f"{SVG}text"))
    marks = {float(text.get("x", "")): float(str(text.text)) for text in texts if "text-anchor: middle" in text.get("style", "")}
    (left, low), (right, high) = min(marks.items()), max(marks.items())

    def value(x: float) -> float:
        return round(low + (x - left) / (right - left) * (high - low), 3)

    dots: dict[str, list[tuple[float, float]]] = {}
    for use in group.iter(f"{SVG}use"):
        place = float(use.get("x", "")), float(use.get("y", ""))
        dots.setdefault(_colour(use), []).append((value(place[0]), round((place[1] - top) / pitch, 2)))
    bars: dict[str, list[tuple[float, float, float]]] = {}
    for path in group.iter(f"{SVG}path"):
        if "stroke-opacity" in path.get("style", ""):
            x, y, end, _ = (float(number) for number in re.findall(r"[\d.]+", path.get("d", "")))
            bars.setdefault(_colour(path), []).append((value(x), value(end), round((y - top) / pitch, 2)))
    (title,) = [str(text.text) for text in texts if "text-anchor: start" in text.get("style", "")]
    return Panel(title, labels, sorted({*marks.values()}), dots, bars)


def _colour(element: ElementTree.Element) -> str:
    return str(re.findall(r"var\(--(lang-\d)\)", element.get("style", ""))[0])


def test_every_score_is_a_dot_and_a_bar_at_its_value() -> None:
    strict, char = (0.61, 0.7123, 0.83), (0.91, 0.95, 0.99)
    frame = scores(score_rows("en", "A", strict, char), score_rows("it", "A", char, strict), score_rows("en", "*", char, strict))
    left, right = panels(score_plot(frame, ["en", "it"]))
    assert [left.title, right.title] == list(METRIC_TITLES.values())
    assert left.labels == ["A"]
    for panel, english, italian in ((left, strict, char), (right, char, strict)):
        assert [dot[0] for dot in panel.dots["lang-0"]] == pytest.approx([english[1]], abs=2e-3)
        assert [dot[0] for dot in panel.dots["lang-1"]] == pytest.approx([italian[1]], abs=2e-3)
        assert panel.bars["lang-0"][0][:2] == pytest.approx((english[0], english[2]), abs=2e-3)
        assert panel.bars["lang-1"][0][:2] == pytest.approx((italian[0], italian[2]), abs=2e-3)


def test_labels_run_from_the_top_all_of_them_first_then_the_most_frequent() -> None:
    frame = scores(
        score_rows("en", "RARE", (0.8, 0.81, 0.9), gold=2),
        score_rows("en", "*", (0.8, 0.82, 0.9), gold=11),
        score_rows("en", "OFTEN", (0.8, 0.83, 0.9), gold=6),
        score_rows("en", "ALSO", (0.8, 0.84, 0.9), gold=6),
    )
    assert plot_labels(frame) == ["*", "ALSO", "OFTEN", "RARE"]
    for panel in panels(score_plot(frame, ["en"])):
        assert panel.labels == ["all labels", "ALSO", "OFTEN", "RARE"]
        by_row = {round(row - panel.dots["lang-0"][1][1]): value for value, row in sorted(panel.dots["lang-0"], key=lambda dot: dot[1])}
        assert by_row == pytest.approx({0: 0.82, 1: 0.84, 2: 0.83, 3: 0.81}, abs=2e-3)
        assert [row for _, row in panel.dots["lang-0"]] == [row for _, _, row in panel.bars["lang-0"]]


def test_gold_of_a_label_is_counted_over_its_languages() -> None:
    frame = scores(
        score_rows("en", "A", gold=5), score_rows("it", "A", gold=5), score_rows("en", "B", gold=6), score_rows("en", "*", gold=16)
    )
    assert plot_labels(frame) == ["*", "A", "B"]


def test_a_single_label_is_not_pooled_and_without_labels_only_the_pool_is_drawn() -> None:
    assert plot_labels(scores(score_rows("en", "A"), score_rows("en", "*"))) == ["A"]
    assert plot_labels(scores(score_rows("en", "*"))) == ["*"]
    assert panels(score_plot(scores(score_rows("en", "*")), ["en"]))[0].labels == ["all labels"]


def test_of_many_labels_the_most_frequent_are_drawn() -> None:
    frame = scores(*(score_rows("en", f"C{number:02}", gold=number) for number in range(1, 41)), score_rows("en", "*", gold=820))
    labels = plot_labels(frame)
    assert labels == ["*", *(f"C{number:02}" for number in range(40, 40 - MOST_LABELS, -1))]
    assert panels(score_plot(frame, ["en"]))[0].labels == ["all labels", *labels[1:]]


def test_a_language_has_the_colour_of_its_place_six_in_turn_below_one_another() -> None:
    langs = [f"l{number}" for number in range(COLOURS + 2)]
    frame = scores(*(score_rows(lang, label) for lang in langs for label in ("A", "B", "*")))
    for panel in panels(score_plot(frame, langs)):
        assert {colour: len(dots) for colour, dots in panel.dots.items()} == {
            f"lang-{number}": 6 if number < 2 else 3 for number in range(COLOURS)
        }
        first = [min(row for _, row in panel.dots[f"lang-{number}"]) for number in range(COLOURS)]
        assert first == sorted(first) and len({*first}) == COLOURS
        assert len({row for dots in panel.dots.values() for _, row in dots}) == 3 * len(langs)


def test_a_language_without_scores_leaves_its_colour_out() -> None:
    (panel, _) = panels(score_plot(scores(score_rows("it", "A")), ["en", "it"]))
    assert {*panel.dots} == {"lang-1"}


unit = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 4))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(unit, unit, unit), min_size=1, max_size=3))
def test_whatever_the_scores_the_axis_holds_them_all_and_ends_at_one(values: Sequence[Values]) -> None:
    rows = [score_rows("en", f"L{number}", (min(low, high), f1, max(low, high))) for number, (low, f1, high) in enumerate(values)]
    for panel in panels(score_plot(scores(*rows), ["en"])):
        found = [value for dot in panel.dots["lang-0"] for value in dot[:1]] + [end for bar in panel.bars["lang-0"] for end in bar[:2]]
        assert panel.ticks[0] - 0.005 <= min(found) and max(found) <= panel.ticks[-1] + 0.005
        assert panel.ticks[-1] == 1.0 and panel.ticks[0] <= 0.8


@pytest.mark.parametrize(("lowest", "first", "step"), [(0.95, 0.8, 0.05), (0.79, 0.7, 0.05), (0.69, 0.6, 0.1), (0.0, 0.0, 0.1)])
def test_the_axis_starts_at_the_tenth_below_every_bar(lowest: float, first: float, step: float) -> None:
    (panel, _) = panels(score_plot(scores(score_rows("en", "A", (lowest, 0.97, 0.98))), ["en"]))
    assert panel.ticks[0] == pytest.approx(first) and panel.ticks[1] - panel.ticks[0] == pytest.approx(step)


def test_the_same_scores_give_the_same_bytes() -> None:
    rows = [score_rows(lang, label, gold=gold) for lang in ("en", "it") for label, gold in (("A", 3), ("B", 4), ("*", 7))]
    once = score_plot(scores(*rows), ["en", "it"])
    assert score_plot(scores(*rows), ["en", "it"]) == once
    assert "date" not in once.lower() and "matplotlib.org" not in once.lower()


def test_every_colour_is_a_variable_of_the_style_sheet() -> None:
    drawn = score_plot(scores(score_rows("en", "A"), score_rows("it", "A")), ["en", "it"])
    assert not re.search(r"#0[0-9a-f]{5}\b", drawn)
    assert {"--ink", "--muted", "--line", "--band", "--lang-0", "--lang-1"} == {*re.findall(r"var\((--[a-z0-9-]+)\)", drawn)}


@pytest.mark.parametrize("label", ["<script>", "$x_1$ & 'y'", "症状", "a\u0301", '"'])
def test_hostile_labels_are_drawn_as_they_are(label: str) -> None:
    assert panels(score_plot(scores(score_rows("en", label)), ["en"]))[0].labels == [label]


def test_very_long_labels_are_cut() -> None:
    (name,) = panels(score_plot(scores(score_rows("en", "L" * 80)), ["en"]))[0].labels
    assert name == "L" * 25 + "…"
    (name,) = panels(score_plot(scores(score_rows("en", "L" * 26)), ["en"]))[0].labels
    assert name == "L" * 26


def test_tall_figures_have_tick_labels_at_the_top_too() -> None:
    def tick_heights(labels: int) -> int:
        root = ElementTree.fromstring(score_plot(scores(*(score_rows("en", f"L{number}") for number in range(labels))), ["en"]))
        middle = [text for text in root.iter(f"{SVG}text") if "text-anchor: middle" in text.get("style", "")]
        return len({text.get("y") for text in middle})

    assert (tick_heights(7), tick_heights(8)) == (1, 2)
