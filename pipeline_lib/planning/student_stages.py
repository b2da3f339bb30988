"""The pace of training: a few steps of the real loop, by a stopwatch that ends it when its time is over."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig, align_tables
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig, lesson_loss
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.lessons import Lesson, plan_lessons
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.student import Student, new_student
from pipeline_lib.alignment.training import Keeper, Training, TrainingConfig
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.encoding.tuned import TuneConfig, TunedStudent, tune
from pipeline_lib.encoding.vectors import EncodeConfig, chosen_device
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.pair_stages import Pair

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

    def train(keeper: Keeper, settings: Any) -> None:
        Training(student.model, loss_of, typed, [], settings).run(keeper)

    step = step_seconds(train, config, seconds)
    student.model.train(False)
    return StepPace(step, _changed(student.model)), student


def time_tune(
    folder: Path, lessons: Sequence[Lesson[GridText]], align: AlignConfig, encode: EncodeConfig, config: TuneConfig, seconds: float
) -> StepPace:
    """The transformer teachers' student: its pace in steps."""
    device = chosen_device(encode.device)
    student = TunedStudent(load_encoder(folder, config.start, device, torch.float32, encode.tokens))

    def train(keeper: Keeper, settings: Any) -> None:
        tune(student, lessons, [], settings, align, keeper)

    return StepPace(step_seconds(train, config, seconds), _changed(student.encoder.model))


def step_seconds(train: Callable[[Keeper, Any], None], config: TrainingConfig, seconds: float) -> float:
    """Seconds of a step; where one of a single lesson takes too long, as many times as much as a step has lessons."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    _meet_optimiser()
    try:
        single = _run(train, config, 1, seconds / 3)
        whole = single * config.crops_a_step
        return whole if config.crops_a_step == 1 or whole > seconds else _run(train, config, config.crops_a_step, seconds * 2 / 3)
    finally:
        torch.set_num_threads(before)


def time_align(
    pair: Pair, groups: Mapping[str, Groups], cells: Mapping[str, float], student: Student, config: AlignConfig, clock: Clock
) -> Pace:
    """Alignments by the fitted teachers' student; work in cells."""

    def make(name: str) -> Tables:
        torch.set_num_threads(1)
        ours, theirs = ({name: side[name].text} for side in (pair.source, pair.target))
        (made,) = align_tables(ours, theirs, pair.langs, {name: groups[name]}, student, config)
        return (made,)

    return pace(cells, make, [ALIGNMENTS], clock)


def _run(train: Callable[[Keeper, Any], None], config: TrainingConfig, crops: int, seconds: float) -> float:
    stopwatch = Stopwatch(seconds)
    endless = {"epochs": 1, "least_steps": MANY, "patience": MANY, "crops_a_step": crops}
    with suppress(TimeIsUp):
        train(stopwatch, config.model_copy(update=endless))
    return stopwatch.step


def _meet_optimiser() -> None:
    """The first optimiser of a process imports for seconds."""
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.AdamW([weight]).step()


def _changed(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())
