"""Distilling: the student learns the sharpened plans. Loss (paper): one minus the mean row cosine, plus one minus the mean column cosine.

The plans are frozen: no gradient reaches them or the teachers. What is compared with them is what ``align_document`` will make of the
student: its cosines, or with ``student_plan = "transport"`` their transport plan, through whose iterations the gradient flows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Protocol, TypeVar

import pyarrow as pa
import torch

from data_contracts.alignment import TRAINING_LOG
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.features import Side
from pipeline_lib.alignment.lessons import Lesson, Text
from pipeline_lib.alignment.student import Student, StudentConfig
from pipeline_lib.alignment.training import Epoch, Training, TrainingConfig

Read = TypeVar("Read", contravariant=True)
TINY = 1e-30  # keeps the scaling factors of what has no mass finite


class Pupil(Protocol[Read]):
    """A student, whatever it reads: unit types, or the text itself."""

    def encode(self, text: Read, side: Side) -> torch.Tensor:
        """Unit-length vectors, shape (units, width)."""


class DistillConfig(TrainingConfig, frozen=True, extra="forbid", allow_inf_nan=False):
    """The student of fitted teachers and its training."""

    student: StudentConfig = StudentConfig()


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
    student: Student, train: Sequence[Lesson[list[str]]], held_out: Sequence[Lesson[list[str]]], config: DistillConfig, align: AlignConfig
) -> tuple[Student, list[Epoch]]:
    """Train ``student`` on ``train``; the returned one has the weights that did best on ``held_out``. ``align``: how it will be used."""

    def loss_of(lesson: Lesson[list[str]]) -> torch.Tensor:
        return lesson_loss(student, lesson, align, config.rounds)

    return student, Training(student.model, loss_of, train, held_out, config).run()


def lesson_loss(student: Pupil[Text], lesson: Lesson[Text], align: AlignConfig, rounds: int) -> torch.Tensor:
    """``alignment_loss`` of one lesson."""
    seen = student.encode(lesson.source, "source") @ student.encode(lesson.target, "target").T
    target, nearness, inside = (matrix.to(seen.device) for matrix in lesson.dense())
    if align.student_plan == "transport":
        seen = transported(seen, nearness, inside, target, align, rounds)
    return alignment_loss(seen, target, inside)


def _one_minus_cosine(seen: torch.Tensor, wanted: torch.Tensor, dim: int) -> torch.Tensor:
    cosine = torch.nn.functional.cosine_similarity(seen, wanted, dim=dim)
    met = wanted.sum(dim) > 0
    # A crop without any target mass teaches nothing; the mean of no rows would be NaN.
    return 1.0 - cosine[met].mean() if met.any() else 0.0 * seen.sum()
