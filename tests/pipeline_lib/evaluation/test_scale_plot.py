import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.evaluation.scale_plot import MOST_POINTS, scale_plot, thinned
from pipeline_lib.progress.stage_time import StageTime
from tests.pipeline_lib.evaluation.stages import long_run, stage

SVG = "{http://www.w3.org/2000/svg}"


def lines(svg: str) -> dict[str, list[tuple[float, float]]]:
    """The points of every line by the colour that draws it."""
    found = {}
    for path in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        if drawn := re.search(r"stroke: var\(--(lang-\d)\)", path.get("style", "")):
            found[drawn[1]] = [(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path.get("d", ""))]
    return found


def texts(svg: str) -> list[str]:
    return [str(text.text) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_stage_that_counts_documents_is_a_line_that_begins_where_the_one_before_ends() -> None:
    drawn = lines(scale_plot([stage("ingest", 0, 100, 9, 90), stage("fit", 100, 100, 2, 0), stage("cost", 200, 100, 9, 45)]))
    assert drawn.keys() == {"lang-0", "lang-2"}
    first, second = drawn["lang-0"], drawn["lang-2"]
    assert first == sorted(first, key=lambda point: point[0]) and second[0][0] > first[-1][0]
    bottom = first[0][1]
    assert second[0][1] == bottom
    assert (bottom - second[-1][1]) / (bottom - first[-1][1]) == pytest.approx(0.5, abs=0.01), "half as many documents, half as high"


def test_stages_are_named_where_there_is_room() -> None:
    said = texts(scale_plot(long_run(50)))
    assert {"ingest", "segments", "cost", "project"} <= {*said} and "score" not in said
    assert "minutes since the run began" in said


@pytest.mark.parametrize(("seconds", "unit"), [(100.0, "seconds"), (4000.0, "minutes"), (9000.0, "hours")])
def test_the_axis_counts_in_a_unit_that_suits_the_run(seconds: float, unit: str) -> None:
    assert f"{unit} since the run began" in texts(scale_plot([stage("cost", 0, seconds, 5, 50)]))


def test_five_thousand_points_a_stage_make_no_large_page() -> None:
    svg = scale_plot(long_run(5000))
    assert len(svg) < 150_000
    assert all(len(points) <= MOST_POINTS for points in lines(svg).values())


@given(st.integers(0, 3 * MOST_POINTS))
def test_a_thinned_curve_keeps_its_ends_and_its_order(length: int) -> None:
    curve = [(float(number), number) for number in range(length)]
    thin = thinned(curve)
    assert len(thin) == min(length, MOST_POINTS) and list(thin) == sorted({*thin})
    assert length == 0 or (thin[0], thin[-1]) == (curve[0], curve[-1])


def test_where_no_document_was_counted_nothing_is_drawn() -> None:
    assert scale_plot([]) == scale_plot([stage("fit", 0, 10, 2, 0)]) == scale_plot([StageTime("scan", 1.5, 1, 0)]) == ""


def test_stages_that_took_no_time_are_drawn_too() -> None:
    assert "<svg" in scale_plot([replace(stage("scan", 0, 0, 1, 5), seconds=0.0)])


def test_the_same_stages_give_the_same_bytes_in_the_colours_of_the_style_sheet() -> None:
    once = scale_plot(long_run(50))
    assert once == scale_plot(long_run(50))
    assert not re.search(r"#0[0-9a-f]{5}\b", once) and "var(--muted)" in once
