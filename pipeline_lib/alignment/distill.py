"""Distilling: the student learns the sharpened plans. Loss (paper): one minus the mean row cosine, plus one minus the mean column cosine.

The plans are frozen: no gradient reaches them or the teachers. What is compared with them is what ``align_document`` will make of the
student: its cosines, or with ``student_plan = "transport"`` their transport plan, through whose iterations the gradient flows.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import torch
from pydantic import BaseModel, Field

from data_contracts.alignment import TRAINING_LOG
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.student import Student, StudentConfig

TINY = 1e-30  # keeps the scaling factors of what has no mass finite


class DistillConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The student and its training."""

    student: StudentConfig = StudentConfig()
    documents: int = Field(200, ge=1, description="training documents at most")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of the documents kept for early stopping")
    epochs: int = Field(2, ge=0, description="passes over the documents, more for small collections (see least_steps)")
    least_steps: int = Field(20, ge=0, description="optimiser steps that a small collection is repeated for")
    patience: int = Field(2, ge=1, description="epochs without a better held-out loss before training stops")
    crop: int = Field(512, ge=8, description="source units a crop")
    crops_a_step: int = Field(2, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    threads: int = Field(2, ge=1, description="threads of the matrix products; part of the config because it can change the last bit")
    rounds: int = Field(4, ge=1, description="Sinkhorn iterations that training looks through")
    seed: int = 13


@dataclass(frozen=True)
class Epoch:
    """One row of TRAINING_LOG."""

    epoch: int
    step: int
    train_loss: float | None
    held_out_loss: float
    learning_rate: float
    best: bool


def training_log(epochs: Iterable[Epoch]) -> pa.Table:
    return TRAINING_LOG.table([asdict(epoch) for epoch in epochs])


def alignment_loss(similarity: torch.Tensor, target: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """(1 - mean row cosine) + (1 - mean column cosine) over in-band cells, in [0, 4]; rows and columns without target mass are dropped.

    Args:
        similarity, target, inside: shape (source units, target units). No gradient flows to ``target``.

    It is 0 if and only if the similarity is proportional to the target row by row and column by column.
    """
    seen, wanted = torch.where(inside, similarity, 0.0), torch.where(inside, target.detach(), 0.0)
    return _one_minus_cosine(seen, wanted, dim=1) + _one_minus_cosine(seen, wanted, dim=0)


def transported(
    cosine: torch.Tensor, nearness: torch.Tensor, inside: torch.Tensor, target: torch.Tensor, align: AlignConfig, rounds: int
) -> torch.Tensor:
    """What ``align_document`` makes of the student's cosines, differentiable; all shapes (source units, target units).

    The marginals are the target's own: a crop of a plan is not balanced. Rows go first, because each is divided by its largest value.
    """
    scores = (cosine + align.prior * nearness) / ((1.0 + align.prior) * align.sharpen.reg)
    scores = torch.where(inside, scores, -torch.inf)
    kernel = torch.exp(scores - scores.detach().amax(dim=1, keepdim=True).clamp_min(-1e9))
    rows, columns = target.sum(dim=1), target.sum(dim=0)
    right = torch.ones_like(columns)
    for _ in range(rounds):
        left = rows / (kernel @ right).clamp_min(TINY)
        right = columns / (left @ kernel).clamp_min(TINY)
    return left[:, None] * kernel * right


def distill(
    student: Student, train: Sequence[Lesson], held_out: Sequence[Lesson], config: DistillConfig, align: AlignConfig
) -> tuple[Student, list[Epoch]]:
    """Train ``student`` on ``train``; the returned one has the weights that did best on ``held_out``. ``align``: how it will be used."""
    torch.manual_seed(config.seed)
    steps = math.ceil(len(train) / config.crops_a_step)
    epochs = max(config.epochs, math.ceil(config.least_steps / steps)) if config.epochs else 0
    optimiser = torch.optim.AdamW(student.model.parameters(), lr=config.learning_rate)
    # At least 11: the warm-up of a tenth has no length in 10 steps, and OneCycleLR divides by it.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=max(epochs * steps, 11), pct_start=0.1)

    def loss_of(lesson: Lesson) -> torch.Tensor:
        return lesson_loss(student, lesson, align, config.rounds)

    student.model.train(False)
    log = [Epoch(0, 0, None, _mean(loss_of, held_out), 0.0, True)]
    best, weights = log[0], _learnt(student)
    order = list(range(len(train)))
    for epoch in range(1, epochs + 1):
        random.Random(config.seed + epoch).shuffle(order)
        student.model.train()
        loss = _train_epoch(loss_of, [train[index] for index in order], optimiser, schedule, config.crops_a_step)
        student.model.train(False)
        held_out_loss = _mean(loss_of, held_out)
        log.append(Epoch(epoch, epoch * steps, loss, held_out_loss, float(schedule.get_last_lr()[0]), held_out_loss < best.held_out_loss))
        if log[-1].best:
            best, weights = log[-1], _learnt(student)
        elif epoch - best.epoch >= config.patience:
            break
    student.model.load_state_dict(weights)
    return student, log


def lesson_loss(student: Student, lesson: Lesson, align: AlignConfig, rounds: int) -> torch.Tensor:
    """``alignment_loss`` of one lesson."""
    target, nearness, inside = lesson.dense()
    seen = student.encode(lesson.source_types, "source") @ student.encode(lesson.target_types, "target").T
    if align.student_plan == "transport":
        seen = transported(seen, nearness, inside, target, align, rounds)
    return alignment_loss(seen, target, inside)


def _train_epoch(
    loss_of: Callable[[Lesson], torch.Tensor],
    train: Sequence[Lesson],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    at_once: int,
) -> float:
    """One pass, a step every ``at_once`` lessons; the mean loss of the lessons."""
    total = 0.0
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    for first in range(0, len(train), at_once):
        batch = train[first : first + at_once]
        optimiser.zero_grad()
        for lesson in batch:
            loss = loss_of(lesson)
            (loss / len(batch)).backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        schedule.step()
    return total / len(train)


def _mean(loss_of: Callable[[Lesson], torch.Tensor], held_out: Sequence[Lesson]) -> float:
    with torch.no_grad():
        return sum(float(loss_of(lesson)) for lesson in held_out) / max(len(held_out), 1)


def _learnt(student: Student) -> dict[str, torch.Tensor]:
    """A copy of the weights that training changes; the tables are frozen."""
    return {name: weight.detach().clone() for name, weight in student.model.named_parameters()}


def _one_minus_cosine(seen: torch.Tensor, wanted: torch.Tensor, dim: int) -> torch.Tensor:
    cosine = torch.nn.functional.cosine_similarity(seen, wanted, dim=dim)
    met = wanted.sum(dim) > 0
    # A crop without any target mass teaches nothing; the mean of no rows would be NaN.
    return 1.0 - cosine[met].mean() if met.any() else 0.0 * seen.sum()
