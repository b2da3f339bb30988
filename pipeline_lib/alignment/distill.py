"""Distilling: the student learns the sharpened plans. Loss (paper): one minus the mean row cosine, plus one minus the mean column cosine.

The plans are frozen: no gradient reaches them or the teachers. Long documents are cut into crops of consecutive source units with all
target units that their band reaches.
"""

import copy
import hashlib
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from pydantic import BaseModel, Field

from data_contracts.alignment import TRAINING_LOG
from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.student import Student, StudentConfig
from pipeline_lib.alignment.units import GridText


class DistillConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The student and its training."""

    student: StudentConfig = StudentConfig()
    documents: int = Field(200, ge=1, description="training documents at most")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of the documents kept for early stopping")
    epochs: int = Field(3, ge=0, description="passes over the documents, more for small collections (see least_steps)")
    least_steps: int = Field(100, ge=0, description="optimiser steps that a small collection is repeated for")
    patience: int = Field(2, ge=1, description="epochs without a better held-out loss before training stops")
    crop: int = Field(384, ge=8, description="source units a crop")
    crops_a_step: int = Field(4, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    threads: int = Field(2, ge=1, description="threads of the matrix products; part of the config because it can change the last bit")
    seed: int = 13


@dataclass(frozen=True)
class Lesson:
    """One crop: unit types of both sides and the plan between them.

    Attributes:
        target: plan values, shape (source units, target units); inside: whether a cell lies in the band, same shape.
    """

    document: str
    source_types: list[str]
    target_types: list[str]
    target: torch.Tensor
    inside: torch.Tensor


@dataclass(frozen=True)
class Epoch:
    """One row of TRAINING_LOG."""

    epoch: int
    step: int
    train_loss: float | None
    held_out_loss: float
    learning_rate: float
    best: bool


def lessons(document: str, source: list[str], target: list[str], band: Band, plan: npt.NDArray[np.float32], crop: int) -> Iterable[Lesson]:
    """Cut one document's plan, shape (cells,), into crops."""
    for first in range(0, band.rows, crop):
        last = min(first + crop, band.rows)
        left, right = int(band.low[first:last].min()), int(band.high[first:last].max())
        if right <= left:
            continue
        part = Band(band.low[first:last] - left, band.high[first:last] - left, right - left)
        values = plan[band.indptr[first] : band.indptr[last]]
        inside = part.dense(np.ones(part.cells)) > 0
        dense = torch.from_numpy(part.dense(values).astype(np.float32))
        yield Lesson(document, source[first:last], target[left:right], dense, torch.from_numpy(inside))


def split_documents(documents: Iterable[str], config: DistillConfig) -> tuple[list[str], list[str]]:
    """Training and held-out documents, chosen by a hash of their ids; a single document is both."""
    ordered = sorted(documents, key=lambda document: hashlib.sha256(document.encode("utf-8")).hexdigest())[: config.documents]
    held_out = max(1, round(config.held_out * len(ordered)))
    return ordered[held_out:] or ordered, ordered[:held_out]


def plan_lessons(
    plans: Iterable[pa.Table], source: dict[str, GridText], target: dict[str, GridText], wanted: set[str], crop: int
) -> dict[str, list[Lesson]]:
    """The lessons of the ``wanted`` documents of TRANSPORT_PLANS, by document."""
    found: dict[str, list[Lesson]] = {}
    for part in plans:
        values = part["plan"].combine_chunks()
        for number, row in enumerate(part.select(["document", "columns", "low", "high"]).to_pylist()):
            name = row["document"]
            if name in wanted:
                plan = values[number].values.to_numpy()
                found[name] = list(lessons(name, source[name].types, target[name].types, Band.from_row(row), plan, crop))
    return found


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


def distill(student: Student, train: Sequence[Lesson], held_out: Sequence[Lesson], config: DistillConfig) -> tuple[Student, list[Epoch]]:
    """Train ``student`` on ``train``; the returned one has the weights that did best on ``held_out``."""
    torch.manual_seed(config.seed)
    steps = math.ceil(len(train) / config.crops_a_step)
    epochs = max(config.epochs, math.ceil(config.least_steps / steps)) if config.epochs else 0
    optimiser = torch.optim.AdamW([p for p in student.model.parameters() if p.requires_grad], lr=config.learning_rate)
    # At least 11: the warm-up of a tenth has no length in 10 steps, and OneCycleLR divides by it.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=max(epochs * steps, 11), pct_start=0.1)
    log = [Epoch(0, 0, None, _mean_loss(student, held_out), 0.0, True)]
    best, weights = log[0], copy.deepcopy(student.model.state_dict())
    order = list(range(len(train)))
    for epoch in range(1, epochs + 1):
        random.Random(config.seed + epoch).shuffle(order)
        loss = _train_epoch(student, [train[index] for index in order], optimiser, schedule, config)
        held_out_loss = _mean_loss(student, held_out)
        log.append(Epoch(epoch, epoch * steps, loss, held_out_loss, float(schedule.get_last_lr()[0]), held_out_loss < best.held_out_loss))
        if log[-1].best:
            best, weights = log[-1], copy.deepcopy(student.model.state_dict())
        elif epoch - best.epoch >= config.patience:
            break
    student.model.load_state_dict(weights)
    student.model.eval()
    return student, log


def _train_epoch(
    student: Student,
    train: Sequence[Lesson],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    config: DistillConfig,
) -> float:
    """One pass; the mean loss of its lessons."""
    student.model.train()
    total = 0.0
    for first in range(0, len(train), config.crops_a_step):
        batch = train[first : first + config.crops_a_step]
        optimiser.zero_grad()
        for lesson in batch:
            loss = _lesson_loss(student, lesson)
            (loss / len(batch)).backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(student.model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return total / len(train)


def _mean_loss(student: Student, held_out: Sequence[Lesson]) -> float:
    student.model.eval()
    with torch.no_grad():
        return sum(float(_lesson_loss(student, lesson)) for lesson in held_out) / max(len(held_out), 1)


def _lesson_loss(student: Student, lesson: Lesson) -> torch.Tensor:
    similarity = student.encode(lesson.source_types) @ student.encode(lesson.target_types).T
    return alignment_loss(similarity, lesson.target, lesson.inside)


def _one_minus_cosine(seen: torch.Tensor, wanted: torch.Tensor, dim: int) -> torch.Tensor:
    cosine = torch.nn.functional.cosine_similarity(seen, wanted, dim=dim)
    met = wanted.sum(dim) > 0
    # A crop without any target mass teaches nothing; the mean of no rows would be NaN.
    return 1.0 - cosine[met].mean() if met.any() else 0.0 * seen.sum()
