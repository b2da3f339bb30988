"""The pace of training: a few steps of the real loop, by a stopwatch that ends it when its time is over."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig, align_tables
from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig, lesson_loss
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.lessons import Lesson, Text, plan_lessons
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.student import Student, new_student
from pipeline_lib.alignment.training import Keeper, Training, TrainingConfig
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.encoding.tuned import TuneConfig, TunedStudent, tune
from pipeline_lib.encoding.vectors import EncodeConfig, chosen_device
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.pair_stages import Pair

Train: TypeAlias = Callable[[Keeper, Any, Sequence[Lesson[Text]]], None]
BRIEF = 64  # units of a side
LONG = 10.0  # seconds: a step's share of what the first step of a process does besides is small then
MANY = 1_000_000  # steps: the stopwatch ends the training


@dataclass(frozen=True)
class StepPace:
    """Seconds that a step takes, and how many numbers a step changes."""

    seconds: float
    parameters: int


class TimeIsUp(Exception):
    """Ends a training that was begun for its pace alone."""


class Stopwatch:
    """A keeper of trainings that keeps nothing but the times of the steps."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: list[float] = []

    def resume(self, read: Callable[[Path], None]) -> None:
        self._times = [time.perf_counter()]

    def keep(self, step: int, write: Callable[[Path], None]) -> None:
        """Raises ``TimeIsUp`` when the time is over, but after two steps at least if they are no ``LONG`` ones."""
        self._times.append(time.perf_counter())
        spent = self._times[-1] - self._times[0]
        if spent >= self._seconds and (len(self._times) > 2 or spent >= LONG):
            raise TimeIsUp

    @property
    def step(self) -> float:
        """Seconds of a step: the first one counts only where it is the only one."""
        first = 1 if len(self._times) > 2 else 0
        return (self._times[-1] - self._times[first]) / (len(self._times) - 1 - first)


def sample_lessons(pair: Pair, groups: Mapping[str, Groups], plans: Pace, crop: int, align: AlignConfig) -> list[Lesson[GridText]]:
    """The lessons of the sample."""
    texts, into = ({name: found.text for name, found in side.items()} for side in (pair.source, pair.target))
    parts = (table for (table,) in plans.made.values())
    found = plan_lessons(parts, texts, into, groups, set(plans.made), crop, align)
    return [lesson for lessons in found.values() for lesson in lessons]


def crops_a_document(pair: Pair, crop: int) -> float:
    """Lessons that a document makes, in the mean."""
    return sum(-(-len(found.text.starts) // crop) for found in pair.source.values()) / len(pair.source)


def time_distill(
    teachers: Teachers, lessons: Sequence[Lesson[GridText]], cost: CostConfig, align: AlignConfig, config: DistillConfig, seconds: float
) -> tuple[StepPace, Student]:
    """The fitted teachers' student, and its pace in steps."""
    student = new_student(teachers, config.student, cost)
    typed = [Lesson(each.document, each.source.types, each.target.types, each.band, each.plan, each.nearness) for each in lessons]

    def loss_of(lesson: Lesson[list[str]]) -> torch.Tensor:
        return lesson_loss(student, lesson, align, config.rounds)

    def train(keeper: Keeper, settings: Any, lessons: Sequence[Lesson[list[str]]]) -> None:
        Training(student.model, loss_of, lessons, [], settings).run(keeper)

    step = step_seconds(train, typed, config, seconds)
    student.model.train(False)
    return StepPace(step, _changed(student.model)), student


def time_tune(
    folder: Path, lessons: Sequence[Lesson[GridText]], align: AlignConfig, encode: EncodeConfig, config: TuneConfig, seconds: float
) -> StepPace:
    """The transformer teachers' student: its pace in steps."""
    device = chosen_device(encode.device)
    student = TunedStudent(load_encoder(folder, config.start, device, torch.float32, encode.tokens))

    def train(keeper: Keeper, settings: Any, lessons: Sequence[Lesson[GridText]]) -> None:
        tune(student, lessons, [], settings, align, keeper)

    return StepPace(step_seconds(train, lessons, config, seconds), _changed(student.encoder.model))


def step_seconds(train: Train[Text], lessons: Sequence[Lesson[Text]], config: TrainingConfig, seconds: float) -> float:
    """Seconds of a step; where one takes too long, by steps of one and of two lessons that are a few units long."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    _meet_optimiser()
    try:
        brief = [beginning(lesson) for lesson in lessons]
        one, two = (_run(train, brief, config, count, seconds / 4) for count in (1, 2))
        lesson = min(max(two - one, one / 4), one)  # the rest of a step does not grow with its lessons
        longer = sum(map(_units, lessons)) / sum(map(_units, brief))
        whole = (one - lesson) + config.crops_a_step * longer * lesson
        return whole if whole > seconds else _run(train, lessons, config, config.crops_a_step, seconds / 2)
    finally:
        torch.set_num_threads(before)


def beginning(lesson: Lesson[Text], units: int = BRIEF) -> Lesson[Text]:
    """The first units of both sides, each as near to all others: a lesson for a clock."""
    rows, columns = min(units, _length(lesson.source)), min(units, _length(lesson.target))
    band = Band(np.zeros(rows, dtype=np.int32), np.full(rows, columns, dtype=np.int32), columns)
    even = np.full(rows * columns, 1 / columns, dtype=np.float32)
    return Lesson(lesson.document, lesson.source[:rows], lesson.target[:columns], band, even, np.ones_like(even))


def time_align(
    pair: Pair, groups: Mapping[str, Groups], cells: Mapping[str, float], student: Student, config: AlignConfig, clock: Clock
) -> Pace:
    """Alignments by the fitted teachers' student; work in cells."""

    def make(name: str) -> Tables:
        torch.set_num_threads(1)
        ours, theirs = ({name: side[name].text} for side in (pair.source, pair.target))
        (made,) = align_tables(ours, theirs, pair.langs, {name: groups[name]}, student, config)
        return (made,)

    return pace(cells, make, [ALIGNMENTS], clock, least=clock.part)


def _run(train: Train[Text], lessons: Sequence[Lesson[Text]], config: TrainingConfig, crops: int, seconds: float) -> float:
    stopwatch = Stopwatch(seconds)
    endless = {"epochs": 1, "least_steps": MANY, "patience": MANY, "crops_a_step": crops}
    with suppress(TimeIsUp):
        train(stopwatch, config.model_copy(update=endless), lessons)
    return stopwatch.step


def _units(lesson: Lesson[Text]) -> int:
    return _length(lesson.source) + _length(lesson.target)


def _length(text: list[str] | GridText) -> int:
    return len(text.starts) if isinstance(text, GridText) else len(text)


def _meet_optimiser() -> None:
    """The first optimiser of a process imports for seconds."""
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.AdamW([weight]).step()


def _changed(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())
