"""What follows from the counts of a stage: pace, time left, and the total that is expected."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.progress.stage_time import Meter, StageTime

HALF_DONE = StageTime("align", 10.0, 1, 1, ended=2, shards=4, documents=500, fresh=200, total=1000)


def test_the_pace_is_that_of_what_was_built_and_the_time_left_follows_from_it() -> None:
    assert HALF_DONE.rate == 20.0
    assert HALF_DONE.left == 25.0


def test_where_all_was_reused_the_pace_is_that_of_looking() -> None:
    reused = replace(HALF_DONE, built=0, reused=2, fresh=0)
    assert (reused.rate, reused.left, reused.all_reused) == (50.0, 10.0, True)


def test_a_stage_without_documents_has_no_pace_and_its_time_left_goes_by_shards() -> None:
    fit = StageTime("fit", 30.0, 1, 0, ended=1, shards=3)
    assert (fit.rate, fit.left) == (None, 60.0)


def test_before_the_first_shard_nothing_is_known_and_after_the_last_nothing_is_left() -> None:
    begun, ended = (StageTime("fit", 30.0, done, 0, ended=done, shards=3) for done in (0, 3))
    assert (begun.rate, begun.left, ended.left) == (None, None, 0.0)


def test_time_goes_on_for_a_stage_at_work_and_stands_still_for_one_that_ended() -> None:
    assert HALF_DONE.later(5.0).seconds == 15.0
    assert replace(HALF_DONE, ended=4).later(5.0).seconds == 10.0


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.integers(0, 3)), min_size=1, max_size=12), st.data())
def test_whatever_ends_first_the_counts_add_up_and_the_total_that_was_right_stays_right(
    shards: list[tuple[int, bool, int]], data: st.DataObject
) -> None:
    meter = Meter("cost", len(shards), {key: documents for key, (documents, _, _) in enumerate(shards)})
    wanted = sum(documents for documents, _, _ in shards)
    for ended, key in enumerate(data.draw(st.permutations(range(len(shards)))), start=1):
        documents, reused, rejects = shards[key]
        meter.add(key, documents, reused, rejects)
        now = meter.now()
        assert (now.ended, now.built + now.reused) == (ended, ended)
        assert now.total == wanted
    whole = meter.whole()
    assert whole.documents == whole.total == whole.curve[-1][1] == wanted
    assert whole.fresh == sum(documents for documents, reused, _ in shards if not reused)
    assert whole.rejects == sum(rejects for _, _, rejects in shards)
    assert [time for time, _ in whole.curve] == sorted(time for time, _ in whole.curve)


@pytest.mark.parametrize(("known", "total", "said"), [({0: 30, 1: 70}, 0, 100), (None, 90, 90), (None, 0, 50)])
def test_the_total_is_what_is_known_of_shards_else_of_all_else_an_estimate(known: dict[object, int] | None, total: int, said: int) -> None:
    meter = Meter("cost", 2, known, total)
    meter.add(0, 30 if known else 25, reused=False)
    assert meter.now().total == said


def test_a_shard_that_was_less_than_expected_makes_the_total_less() -> None:
    meter = Meter("cost", 2, {"a": 30, "b": 70})
    meter.add("a", 20, reused=False)
    assert meter.now().total == 90


def test_failures_and_results_that_are_no_artifact_end_too() -> None:
    meter = Meter("cost", 3)
    meter.fail("a")
    meter.end("b")
    assert (meter.now().failed, meter.now().ended, meter.now().built) == (1, 2, 0)
