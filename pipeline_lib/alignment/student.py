"""The student: a small encoder that reads each text alone; alignment is the cosine of its unit vectors (paper).

It starts as its teachers: every view that the alignment target sums is an inner product, so their vectors side by side, scaled by the
roots of their weights, have the target's similarity as theirs (``features``, ``encoder``). Training (``distill``) adds what context tells.

The encoder is imported where a student is made: transformers takes four seconds, and most processes of a run meet no student.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from pydantic import BaseModel, Field
from safetensors.torch import load_file, save_file

from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.features import SIDES, Side, spelling, type_tables
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.threads import LAZY_IMPORTS
from pipeline_lib.alignment.units import GridText

if TYPE_CHECKING:
    from pipeline_lib.alignment.encoder import EncoderConfig, StudentEncoder

WEIGHTS, TABLES = "model.safetensors", "tables.safetensors"


class StudentConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Size of the student."""

    spelling: int = Field(256, ge=8, description="width of the hashed character n-grams")
    lexicon: int = Field(256, ge=8, description="width of the hashed lexical table")
    neighbour: int = Field(64, ge=4, description="width of what each of the four neighbours adds to a unit")
    hidden: int = Field(128, ge=8, description="width of the correction that training adds")
    layers: int = Field(2, ge=0, description="layers of the correction")
    reach: int = Field(4, ge=0, description="units that one layer of the correction sees on either side")
    seed: int = 13


@dataclass(frozen=True)
class Student:
    """An encoder and the types of both languages that it has vectors for. ``encode`` is all that the other stages know of it."""

    model: "StudentEncoder"
    numbers: dict[str, dict[str, int]]

    def encode(self, types: list[str], side: Side) -> torch.Tensor:
        """Unit-length vectors of a text given as unit types, shape (units, width). ``side``: the language of the trained pair.

        A type that was never met has its spelling and its neighbours.
        """
        distinct = {kind: number for number, kind in enumerate(dict.fromkeys(types))}
        known = self.numbers[side]
        ids = torch.tensor([known.get(kind, len(known)) for kind in types])
        letters = torch.from_numpy(spelling(list(distinct), self.model.config.widths["spelling"]))
        vectors: torch.Tensor = self.model(ids, letters[[distinct[kind] for kind in types]], side)
        return vectors

    def read(self, text: GridText, side: Side) -> torch.Tensor:
        """The same for a text on its grid."""
        return self.encode(text.types, side)


def new_student(teachers: Teachers, config: StudentConfig, cost: CostConfig) -> Student:
    """An untrained student, whose similarities already are about those of ``cost``."""
    with LAZY_IMPORTS:
        from pipeline_lib.alignment.encoder import EncoderConfig, StudentEncoder

    torch.manual_seed(config.seed)
    widths = {
        "spelling": config.spelling,
        "lexicon": config.lexicon,
        "sentence": teachers.sentence_source.shape[1],
        "phrase": teachers.phrase_source.shape[1],
        "neighbour": config.neighbour,
    }
    shape = EncoderConfig(
        types=(len(teachers.source.types), len(teachers.target.types)),
        widths=widths,
        windows=(cost.sentence_window, cost.phrase_window),
        hidden=config.hidden,
        layers=config.layers,
        reach=config.reach,
    )
    model = StudentEncoder(shape)
    with torch.no_grad():
        for side, tables in zip(SIDES, type_tables(teachers, config.lexicon, config.seed), strict=True):
            model.known(side).fill(tables)
        _weigh(model, cost)
    vocabularies = zip(SIDES, (teachers.source, teachers.target), strict=True)
    return Student(model, {side: dict(vocabulary.index) for side, vocabulary in vocabularies})


def excerpt(student: Student, types: Mapping[Side, set[str]]) -> Student:
    """The same student with vectors for some ``types`` of either side alone: all that texts made of them can tell apart."""
    with LAZY_IMPORTS:
        from pipeline_lib.alignment.encoder import StudentEncoder

    numbers = {side: [(kind, row) for kind, row in student.numbers[side].items() if kind in types[side]] for side in SIDES}
    shape = cast("EncoderConfig", copy.deepcopy(student.model.config))
    shape.types = [len(numbers[side]) for side in SIDES]
    model = StudentEncoder(shape)
    model.load_state_dict(student.model.state_dict())
    for side in SIDES:
        rows = torch.tensor([*(row for _, row in numbers[side]), -1])
        for name, table in student.model.known(side).named_buffers():
            model.known(side).get_buffer(name).copy_(table[rows])
    return Student(model, {side: {kind: number for number, (kind, _) in enumerate(numbers[side])} for side in SIDES})


def save_student(student: Student, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors`` as Hugging Face has them, the types' tables, a vocabulary a side, one type a line."""
    with LAZY_IMPORTS:
        from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    student.model.save_pretrained(folder)
    tables = {f"{side}.{name}": table for side in SIDES for name, table in student.model.known(side).named_buffers()}
    save_file(tables, folder / TABLES)
    for side, numbers in student.numbers.items():
        _vocabulary(folder, side).write_bytes("".join(f"{kind}\n" for kind in numbers).encode("utf-8"))


def save_weights(student: Student, folder: Path) -> None:
    """Replace the weights of the student in ``folder``, of which this one is an excerpt."""
    save_file(student.model.state_dict(), folder / WEIGHTS, metadata={"format": "pt"})


def load_student(folder: Path) -> Student:
    """Read a student from its folder, weights from safetensors only."""
    with LAZY_IMPORTS:
        from transformers.utils.logging import disable_progress_bar

        from pipeline_lib.alignment.encoder import StudentEncoder

    disable_progress_bar()
    model = StudentEncoder.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    for name, table in load_file(folder / TABLES).items():
        side, _, view = name.partition(".")
        model.known(side).register_buffer(view, table, persistent=False)
    lines = {side: _vocabulary(folder, side).read_bytes().decode("utf-8").split("\n")[:-1] for side in SIDES}
    return Student(model.train(False), {side: {kind: number for number, kind in enumerate(kinds)} for side, kinds in lines.items()})


def _vocabulary(folder: Path, side: str) -> Path:
    return folder / f"vocabulary.{side}.txt"


def _weigh(model: "StudentEncoder", cost: CostConfig) -> None:
    """Scale the blocks so that their inner products add up as the cost's views do."""
    weights, context = cost.weights, cost.context
    # The cost averages a token similarity with its four neighbours', the sum of whose weights is 1 + 4 context.
    token = 1 / (1 + 4 * context)
    for name, weight in {
        "spelling": token * weights.characters,
        "lexicon": token * weights.lexical,
        "sentence": weights.sentence,
        "phrase": weights.phrase,
        "wide": weights.pooled_sentence,
        "near": weights.pooled_phrase,
    }.items():
        model.scales[name].fill_(weight**0.5)
    for project in cast(Iterable[torch.nn.Linear], model.neighbours):
        signs = torch.randint(0, 2, project.weight.shape) * 2 - 1
        project.weight.copy_(signs * (context / len(signs)) ** 0.5)
    model.outward.weight.zero_()
