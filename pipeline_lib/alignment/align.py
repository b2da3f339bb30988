"""The student's alignment of a document pair: the cosine of its unit vectors in the band, as it is or sharpened like the target."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
import torch
from pydantic import BaseModel, Field

from data_contracts.alignment import ALIGNMENTS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, prior
from pipeline_lib.alignment.features import Side
from pipeline_lib.alignment.fitted import Vectors
from pipeline_lib.alignment.segments import Groups, anchored_band
from pipeline_lib.alignment.sinkhorn import Plan, SharpenConfig, plan_columns, plan_of, sharpen
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import banded_cosine


class Reader(Protocol):
    """A student of whatever kind."""

    def read(self, text: GridText, side: Side) -> torch.Tensor:
        """Unit-length vectors of a text, shape (units, width). ``side``: the language of the trained pair."""


class AlignConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """What is made of the student's similarities."""

    student_plan: Literal["transport", "cosine"] = Field(
        "transport", description="cosine is the paper's; transport adds prior and Sinkhorn"
    )
    band: BandConfig = BandConfig()
    anchored: bool = Field(True, description="the band follows the aligned segments too, as the cost's does")
    prior: float = Field(
        0.19, ge=0, description="weight of the positional prior beside the cosine's 1; as in the cost, where it is .8 beside 4.14"
    )
    sharpen: SharpenConfig = SharpenConfig()


def align_tables(
    source: dict[str, GridText],
    target: dict[str, GridText],
    langs: tuple[str, str],
    segments: Mapping[str, Groups],
    student: Reader,
    config: AlignConfig,
    at_once: int = 16,
) -> Iterator[pa.Table]:
    """ALIGNMENTS of the documents that both sides hold, in parts of ``at_once`` documents."""
    both = (document for document in source if document in target)
    found = ((name, align_document(source[name], target[name], student, config, segments.get(name))) for name in both)
    return ALIGNMENTS.parts(alignment_rows(found, langs), at_once)


def alignment_rows(found: Iterable[tuple[str, tuple[Plan, Band]]], langs: tuple[str, str]) -> Iterator[dict[str, object]]:
    """Rows of ALIGNMENTS from documents and what was found for them."""
    for document, (plan, band) in found:
        yield {"document": document, "source_lang": langs[0], "target_lang": langs[1]} | plan_columns(plan, band)


def align_document(
    source: GridText, target: GridText, student: Reader, config: AlignConfig, groups: Groups | None = None
) -> tuple[Plan, Band]:
    """The alignment of one document pair and the band it lies in; with aligned segments the band follows them."""
    with torch.no_grad():
        vectors = student.read(source, "source").cpu().numpy(), student.read(target, "target").cpu().numpy()
    return align_vectors(*vectors, config, groups)


def align_vectors(source: Vectors, target: Vectors, config: AlignConfig, groups: Groups | None = None) -> tuple[Plan, Band]:
    """The same from unit-length vectors of the units, shape (units, width) each."""
    band, centre = anchored_band(groups if config.anchored else None, len(source), len(target), config.band)
    cosine = banded_cosine(source, target, band)
    if config.student_plan == "cosine":
        return plan_of(np.maximum(cosine, 0.0) / max(band.rows, 1), band), band
    return sharpen(_cost(cosine, prior(band, centre, config.band), config.prior), band, config.sharpen), band


def _cost(cosine: Floats, nearness: Floats, weight: float) -> Floats:
    return np.clip(1.0 - (cosine + weight * nearness) / (1.0 + weight), 0.0, 1.0)
