"""The estimate's sums and products."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.planning.estimate import Estimate, Stage, checkpoint_bytes, documents_a_part, schooling, vector_bytes

POSITIVE = st.floats(1e-3, 1e9)
STAGES = st.lists(st.builds(Stage, st.just("x"), POSITIVE, POSITIVE, st.integers(0, 99), st.floats(0, 60), st.integers(1, 8)), min_size=1)


@given(STAGES)
def test_hours_are_positive_and_add_up(stages: list[Stage]) -> None:
    assert all(stage.hours > 0 for stage in stages)
    assert Estimate((), {}, stages).hours == pytest.approx(sum(stage.hours for stage in stages))


@given(POSITIVE, POSITIVE)
def test_twice_the_work_is_twice_the_hours(work: float, rate: float) -> None:
    once = Stage("x", work, rate)
    assert replace(once, work=2 * work).hours == pytest.approx(2 * once.hours)


def test_what_a_call_takes_to_begin_counts_by_calls_and_by_how_many_do_so_at_a_time() -> None:
    assert Stage("encode", 7200.0, 2.0, calls=12, begin=5.0, abreast=2).hours == pytest.approx((3600 + 30) / 3600)


def test_gigabytes_add_up() -> None:
    assert Estimate((), {"unit_vectors": 3e9, "cost_matrices": 5e8}, ()).gigabytes == pytest.approx(3.5)


@given(st.integers(1, 10**9), st.integers(1, 4096))
def test_vectors_take_two_bytes_a_number_and_twice_the_units_twice_as_many(units: int, width: int) -> None:
    assert vector_bytes(units, width) == 2.0 * units * width
    assert vector_bytes(2 * units, width) == 2 * vector_bytes(units, width)


@pytest.mark.parametrize(("steps", "states"), [(10, 0), (49, 0), (50, 1), (120, 2), (1000, 3)])
def test_a_training_keeps_three_states_of_four_times_the_weights_at_most(steps: int, states: int) -> None:
    assert checkpoint_bytes(1000, steps, 50) == states * 4 * 4 * 1000


def test_a_student_of_several_pairs_has_its_share_of_the_documents_of_each() -> None:
    config = TuneConfig(documents=400, held_out=0.1, epochs=2, crops_a_step=8, least_steps=0)
    one, six = schooling([5000], 3.0, config), schooling([5000] * 6, 3.0, config)
    assert one.steps == 2 * (360 * 3 // 8) and one.judged == 3 * 40 * 3
    assert six.steps == pytest.approx(one.steps, rel=0.02)


def test_few_documents_are_repeated_and_no_epochs_are_no_steps() -> None:
    assert schooling([4], 1.0, DistillConfig(least_steps=20)).steps >= 20
    assert schooling([4], 1.0, DistillConfig(epochs=0)).steps == 0


def test_judging_costs_less_than_training() -> None:
    found = schooling([100], 1.0, DistillConfig())
    assert found.steps < found.work(2) < found.steps + found.judged / 2


@pytest.mark.parametrize(("documents", "shards", "part"), [(5, 1, 5), (30, 4, 8), (30_000, 64, 16), (1, 1, 1)])
def test_a_stage_writes_a_part_or_a_smaller_shard_at_a_time(documents: int, shards: int, part: int) -> None:
    assert documents_a_part(documents, shards, 16) == part
