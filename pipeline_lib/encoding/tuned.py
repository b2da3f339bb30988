"""The student of transformer teachers: an encoder that goes on learning (paper), in the layout of Hugging Face before and after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import Field

from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.distill import lesson_loss
from pipeline_lib.alignment.features import Side
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.student import Student, load_student
from pipeline_lib.alignment.training import Epoch, Keeper, Schedule, Training, TrainingConfig
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import Encoder, load_encoder

OURS = "spanferry-student"  # the model type of the fitted teachers' student


class TuneConfig(TrainingConfig, frozen=True, extra="forbid", allow_inf_nan=False):
    """The student of transformer teachers and its training."""

    start: ModelSource = Field(ModelSource(), description="encoder that the student starts from; without a model the sentence teacher")
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16)$", description="of the products; the weights stay float32")
    save_memory: bool = Field(True, description="work states out again instead of keeping them (gradient checkpointing)")
    keep_every: int = Field(50, ge=1, description="steps after which a training is written down, to go on there when it was killed")
    documents: int = Field(400, ge=1, description="training documents at most")
    crop: int = Field(256, ge=8, description="source units a crop")
    crops_a_step: int = Field(8, ge=1, description="crops whose gradients are added up for one step")
    learning_rate: float = Field(2e-5, gt=0)
    schedule: Schedule = Field("cosine", description="of the learning rate, after a warm-up of a tenth of the steps")


@dataclass(frozen=True)
class TunedStudent:
    """An encoder as a student: what the other stages know of it is ``encode``."""

    encoder: Encoder

    def encode(self, text: GridText, side: Side) -> torch.Tensor:
        """Unit-length vectors of a text, shape (units, width); the same for either side."""
        return self.encoder.vectors([self.encoder.read(text)])[0]

    def read(self, text: GridText, side: Side) -> torch.Tensor:
        return self.encode(text, side)


def tune(
    student: TunedStudent,
    train: Sequence[Lesson[GridText]],
    held_out: Sequence[Lesson[GridText]],
    config: TuneConfig,
    align: AlignConfig,
    keeper: Keeper | None = None,
) -> list[Epoch]:
    """Train the student's encoder in place, to the weights that do best on ``held_out``; the log. ``keeper``: where it is written down."""
    model = student.encoder.model
    device = model.device.type
    half = config.precision == "bfloat16" or (config.precision == "auto" and device == "cuda")
    if config.save_memory:
        model.activation_checkpointing_enable()

    def loss_of(lesson: Lesson[GridText]) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            return lesson_loss(student, lesson, align, config.rounds)

    log = Training(model, loss_of, train, held_out, config).run(keeper)
    model.activation_checkpointing_disable()
    return log


def save_tuned(student: TunedStudent, folder: Path) -> None:
    """Write encoder and tokenizer as Hugging Face has them: nothing of ours is needed to read them."""
    student.encoder.model.save_pretrained(folder)
    student.encoder.tokenizer.save_pretrained(folder)


def read_student(folder: Path, source: ModelSource, device: str, tokens: int) -> Student | TunedStudent:
    """A student of either kind from its folder."""
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    if kind == OURS:
        return load_student(folder)
    return TunedStudent(load_encoder(folder, source, device, torch.float32, tokens))
