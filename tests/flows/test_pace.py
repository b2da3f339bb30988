"""How far a stage is, in words."""

from dataclasses import replace

import pytest

from flows.pace import amount, duration, pace, sentence
from pipeline_lib.progress.stage_time import StageTime

AT_WORK = StageTime("align", 180.0, 11, 1, ended=12, shards=64, documents=5640, fresh=5616, total=13128, rejects=3)


def test_a_stage_at_work_is_told_with_its_pace_the_time_left_and_its_rejects() -> None:
    assert sentence(AT_WORK) == "12 of 64 shards: 11 built, 1 reused; 5,640 documents, 31.2 a second, 4 min left, 3 rejects"


def test_what_is_nothing_is_not_told() -> None:
    assert sentence(StageTime("fit", 0.0, 0, 0, shards=6)) == "0 of 6 shards: 0 built, 0 reused"
    assert sentence(StageTime("fit", 60.0, 2, 0, ended=3, shards=6, failed=1)) == "3 of 6 shards: 2 built, 0 reused, 1 failed; 60 s left"
    ended = replace(AT_WORK, ended=64, built=63, documents=13128, fresh=13000, total=13128, seconds=1000.0, rejects=0)
    assert sentence(ended) == "64 of 64 shards: 63 built, 1 reused; 13,128 documents, 13.0 a second"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (8.26, "8.3 s"),
        (9.96, "10 s"),
        (99, "99 s"),
        (99.6, "2 min"),
        (240, "4 min"),
        (7800, "2 h 10 min"),
        (360000, "100 h 0 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(("documents", "said"), [(0, ""), (3, "0.03"), (250, "2.5"), (9990, "99.9"), (123456, "1,235")])
def test_a_pace_has_the_digits_that_mean_something(documents: int, said: str) -> None:
    assert pace(StageTime("align", 100.0, 1, 0, documents=documents, fresh=documents)) == said


def test_an_amount_is_told_with_its_total_until_the_stage_has_ended_and_in_shards_where_there_are_no_documents() -> None:
    assert amount(AT_WORK) == "5,640/13,128"
    assert amount(replace(AT_WORK, ended=64)) == "5,640"
    assert amount(StageTime("fit", 1.0, 1, 0, ended=1, shards=6)) == "1/6 shards"
    assert amount(StageTime("fit", 1.0, 6, 0, ended=6, shards=6)) == "6 shards"
