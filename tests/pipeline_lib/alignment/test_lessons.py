import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.alignment import TRANSPORT_PLANS
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.band import Band, BandConfig
from pipeline_lib.alignment.lessons import lessons, plan_lessons, split_documents
from pipeline_lib.alignment.sinkhorn import plan_columns, plan_of
from tests.pipeline_lib.alignment.pupils import grid


@st.composite
def bands(draw: st.DrawFn) -> Band:
    columns = draw(st.integers(1, 12))
    ends = draw(st.lists(st.tuples(st.integers(0, columns), st.integers(0, columns)), min_size=1, max_size=20))
    low, high = np.array([min(pair) for pair in ends]), np.array([max(pair) for pair in ends])
    return Band(low.astype(np.int32), high.astype(np.int32), columns)


@settings(deadline=None)
@given(bands(), st.integers(1, 25))
def test_crops_cover_every_cell_of_the_band_once_and_no_other(band: Band, crop: int) -> None:
    source, target = [f"s{i}" for i in range(band.rows)], [f"t{j}" for j in range(band.columns)]
    plan = np.arange(1, band.cells + 1, dtype=np.float32)
    times, values = np.zeros((band.rows, band.columns)), np.zeros((band.rows, band.columns))
    for lesson in lessons("d", source, target, band, plan, plan / 2.0, crop):
        found, nearness, inside = lesson.dense()
        rows, columns = [source.index(kind) for kind in lesson.source], [target.index(kind) for kind in lesson.target]
        assert lesson.document == "d" and 0 < len(rows) <= crop
        assert found.shape == inside.shape == (len(rows), len(columns))
        assert (found[~inside] == 0).all() and torch.equal(nearness, found / 2)
        times[np.ix_(rows, columns)] += inside.numpy()
        values[np.ix_(rows, columns)] += found.numpy()
    assert np.array_equal(times, band.dense(np.ones(band.cells)))
    assert np.array_equal(values, band.dense(plan))


@settings(deadline=None)
@given(st.sets(st.text(max_size=5), min_size=1, max_size=40), st.integers(1, 45), st.floats(0.01, 0.5))
def test_documents_are_split_by_their_ids_alone(names: set[str], most: int, share: float) -> None:
    train, held_out = split_documents(sorted(names), most, share)
    assert split_documents(sorted(names, reverse=True), most, share) == (train, held_out)
    assert {*train, *held_out} <= names and len({*train, *held_out}) == min(most, len(names))
    assert train and held_out
    if len(names) > 1 and most > 1:
        assert not {*train} & {*held_out} and len(held_out) == max(1, round(share * min(most, len(names))))
    else:
        assert train == held_out


def test_a_document_more_seldom_moves_another_one() -> None:
    names = [f"case-{number:03}" for number in range(100)]
    before, after = split_documents(names[:-1], 1000, 0.1)[1], split_documents(names, 1000, 0.1)[1]
    assert len({*before} ^ {*after}) <= 2


def plan_row(document: str, source: int, target: int) -> dict[str, object]:
    band = Band(np.zeros(source, dtype=np.int32), np.full(source, target, dtype=np.int32), target)
    values = np.arange(source * target, dtype=np.float64) / source
    return {"document": document, "source_lang": "es", "target_lang": "en"} | plan_columns(plan_of(values, band), band)


def test_the_wanted_plans_become_lessons_of_what_a_student_reads() -> None:
    source = {"a": grid("Fiebre alta"), "b": grid("Tos"), "c": grid("Úlcera")}
    target = {"a": grid("High fever now"), "b": grid("Cough"), "c": grid("Ulcer")}
    parts = [TRANSPORT_PLANS.table([plan_row("a", 2, 3), plan_row("b", 1, 1)]), TRANSPORT_PLANS.table([plan_row("c", 1, 1)])]
    types = [{name: text.types for name, text in side.items()} for side in (source, target)]
    found = plan_lessons(parts, types[0], types[1], {}, {"a", "c"}, 384, AlignConfig())
    assert list(found) == ["a", "c"]
    (lesson,) = found["a"]
    assert (lesson.source, lesson.target) == (["fiebre", "alta"], ["high", "fever", "now"])
    assert lesson.dense()[0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["c"][0].source == ["ulcera"]
    cut = plan_lessons(parts, source, target, {}, {"a"}, 1, AlignConfig())["a"]
    assert [lesson.source.text for lesson in cut] == ["Fiebre", "alta"] and {lesson.target.text for lesson in cut} == {"High fever now"}


def test_the_nearness_of_a_lesson_is_the_prior_that_align_will_use() -> None:
    source, target = {"a": grid("tos " * 8)}, {"a": grid("cough " * 8)}
    config = AlignConfig(band=BandConfig(full=1, zero=4))
    whole, *_ = plan_lessons([TRANSPORT_PLANS.table([plan_row("a", 8, 8)])], source, target, {}, {"a"}, 99, config)["a"]
    distance = np.abs(np.arange(8)[:, None] - np.arange(8))
    assert whole.dense()[1].numpy() == pytest.approx(np.clip((4 - distance) / 3, 0, 1))
    cut = plan_lessons([TRANSPORT_PLANS.table([plan_row("a", 8, 8)])], source, target, {}, {"a"}, 3, config)["a"]
    assert torch.equal(torch.cat([lesson.dense()[1] for lesson in cut]), whole.dense()[1])


def test_a_lesson_keeps_no_more_than_its_own_cells() -> None:
    plan = np.ones(100, dtype=np.float32)
    band = Band(np.zeros(10, dtype=np.int32), np.full(10, 10, dtype=np.int32), 10)
    first, *_ = lessons("d", ["s"] * 10, ["t"] * 10, band, plan, plan.astype(np.float64), 5)
    assert first.plan.base is None and first.plan.nbytes == first.nearness.nbytes == 5 * 10 * 4
