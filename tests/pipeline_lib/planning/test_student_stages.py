"""The pace of trainings: some steps of the real loop."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.student import StudentConfig
from pipeline_lib.alignment.training import Keeper, TrainingConfig
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.planning.student_stages import (
    Stopwatch,
    TimeIsUp,
    beginning,
    crops_a_document,
    sample_lessons,
    step_seconds,
    time_align,
    time_distill,
    time_tune,
)
from tests.encoders import save_encoder
from tests.pipeline_lib.planning.conftest import QUICK, Tried

STUDENT = DistillConfig(student=StudentConfig(hidden=32, layers=1), threads=1)
ALIGN = AlignConfig()


def test_a_stopwatch_leaves_the_first_step_out_where_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 6.0, 8.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    stopwatch = Stopwatch(7.0)
    stopwatch.resume(lambda _: None)
    stopwatch.keep(1, lambda _: None)
    stopwatch.keep(2, lambda _: None)
    with pytest.raises(TimeIsUp):
        stopwatch.keep(3, lambda _: None)
    assert stopwatch.step == pytest.approx(1.5)


def test_one_step_is_enough_if_it_is_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 20.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    stopwatch = Stopwatch(0.5)
    stopwatch.resume(lambda _: None)
    with pytest.raises(TimeIsUp):
        stopwatch.keep(1, lambda _: None)
    assert stopwatch.step == 20.0


@pytest.mark.parametrize("lesson_takes", [0.0001, 0.01])
def test_a_step_that_takes_too_long_is_told_by_steps_of_brief_lessons(lesson_takes: float, tried: Tried) -> None:
    lessons = sample_lessons(tried.pair, tried.groups, tried.plans, 512, ALIGN)
    sizes: dict[int, set[int]] = {}

    def train(keeper: Keeper, settings: Any, lessons: Sequence[Lesson[GridText]]) -> None:
        longest = max(len(lesson.source.starts) for lesson in lessons)
        sizes.setdefault(settings.crops_a_step, set()).add(longest)
        keeper.resume(lambda _: None)
        for step in range(1, 1000):
            time.sleep(lesson_takes * settings.crops_a_step * longest / 64)
            keeper.keep(step, lambda _: None)

    longest = max(len(lesson.source.starts) for lesson in lessons)
    seconds = step_seconds(train, lessons, TrainingConfig(crops_a_step=8, threads=1), 0.1)
    assert seconds == pytest.approx(8 * lesson_takes * longest / 64, rel=0.5)
    assert sizes == {1: {64}, 2: {64}} | ({8: {longest}} if lesson_takes < 0.001 else {})


def test_a_beginning_has_the_first_units_of_both_sides(tried: Tried) -> None:
    (lesson, *_) = sample_lessons(tried.pair, tried.groups, tried.plans, 512, ALIGN)
    brief = beginning(lesson, 10)
    assert (brief.source.text, brief.target.text) == (lesson.source[:10].text, lesson.target[:10].text)
    assert brief.band.cells == len(brief.plan) == len(brief.nearness) == 100
    assert brief.dense()[0].sum(dim=1).tolist() == pytest.approx([1.0] * 10)


def test_lessons_are_crops_of_the_documents(tried: Tried) -> None:
    lessons = sample_lessons(tried.pair, tried.groups, tried.plans, 64, ALIGN)
    assert len(lessons) / len(tried.plans.made) == pytest.approx(crops_a_document(tried.pair, 64), rel=0.5)
    assert max(len(lesson.source.starts) for lesson in lessons) == 64
    assert crops_a_document(tried.pair, 10_000) == 1


def test_the_fitted_teachers_student_is_trained_and_aligns(tried: Tried) -> None:
    lessons = sample_lessons(tried.pair, tried.groups, tried.plans, 512, ALIGN)
    step, student = time_distill(tried.teachers, lessons, CostConfig(), ALIGN, STUDENT, 0.2)
    assert step.seconds > 0 and step.parameters == sum(weight.numel() for weight in student.model.parameters())
    aligned = time_align(tried.pair, tried.groups, tried.cells, student, ALIGN, QUICK)
    assert aligned.rate > 0 and set(aligned.sizes) == {ALIGNMENTS.name}
    assert all(len(table["plan"][0]) == tried.cells[name] for name, (table,) in aligned.made.items())


def test_a_transformer_student_is_trained_by_its_own_loop(tried: Tried, tmp_path: Path) -> None:
    folder = save_encoder(tmp_path / "tiny")
    config = TuneConfig(crop=64, crops_a_step=2, threads=1, start=ModelSource(overlap=32))
    lessons = sample_lessons(tried.pair, tried.groups, tried.plans, config.crop, ALIGN)
    step = time_tune(folder, lessons, AlignConfig(student_plan="cosine"), EncodeConfig(device="cpu"), config, 0.2)
    assert step.seconds > 0 and step.parameters > 30_000
