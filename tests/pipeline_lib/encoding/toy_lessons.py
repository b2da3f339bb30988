"""A lesson over two texts whose target is the scaled diagonal."""

import numpy as np

from pipeline_lib.alignment.band import Band, scaled_diagonal
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.units import GridText


def toy_lesson(source: GridText, target: GridText) -> Lesson[GridText]:
    rows, columns = len(source.starts), len(target.starts)
    band = Band(np.zeros(rows, dtype=np.int32), np.full(rows, columns, dtype=np.int32), columns)
    distance = np.abs(np.arange(columns) - scaled_diagonal(rows, columns)[:, None])
    plan = np.exp(-distance).astype(np.float32).ravel()
    return Lesson("d", source, target, band, plan, np.zeros_like(plan))
