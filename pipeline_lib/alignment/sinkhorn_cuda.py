"""The same plans for a batch of documents at once, in torch: for a CUDA device, where loops over rows are the wrong shape.

Everything is a gather and a sum along the last axis, in float64 and in the log domain (Peyré & Cuturi 2019, section 4.4): no range to
watch, and no atomic addition, whose order would change the last bits from run to run. Held against the compiled loops by test, on the CPU.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.kernel import Sides

Grouped: TypeAlias = tuple[
    torch.Tensor, torch.Tensor
]  # exponents, and the index on the other side, shapes (documents, lines, cells a line)


def scaled_batch(
    costs: Sequence[Floats], bands: Sequence[Band], masses: Sequence[Sides], reg: float, iterations: int, power: float, device: str
) -> list[Floats]:
    """The cells of every plan.

    Args:
        costs: of each document, shape (cells,). Lengths may differ; the batch takes the memory of its longest document for each.
        masses: wanted mass of rows and columns, shapes (rows,) and (columns,); 0 exactly where the band has no cell.

    Returns:
        ``P`` of each document, shape (cells,).
    """
    if not costs:
        return []
    across = [(band.row_of_cell(), band.column_of_cell()) for band in bands]
    sizes = max(band.rows for band in bands), max(band.columns for band in bands)
    exponents = [-cost / reg for cost in costs]
    rows = _grouped(exponents, across, sizes[0], device)
    columns = _grouped(exponents, [(column, row) for row, column in across], sizes[1], device)
    log_u, log_v = _iterate(rows, columns, [_log_mass([mass[k] for mass in masses], sizes[k], device) for k in (0, 1)], iterations, power)
    found = zip(exponents, across, log_u.cpu().numpy(), log_v.cpu().numpy(), strict=True)
    return [np.exp(exponent + u[row] + v[column]) for exponent, (row, column), u, v in found]


def _iterate(rows: Grouped, columns: Grouped, log_masses: list[torch.Tensor], iterations: int, power: float) -> Grouped:
    """``log u`` and ``log v``, shapes (documents, rows) and (documents, columns)."""
    log_u, log_v = torch.zeros_like(log_masses[0]), torch.zeros_like(log_masses[1])
    for _ in range(iterations):
        log_v = _update(columns, log_u, log_masses[1], power)
        log_u = _update(rows, log_v, log_masses[0], power)
    return log_u, log_v


def _update(lines: Grouped, other: torch.Tensor, log_mass: torch.Tensor, power: float) -> torch.Tensor:
    """New log factors of one side; 0 where there is no cell, which nothing reads."""
    exponents, index = lines
    found = torch.logsumexp(exponents + torch.gather(other, 1, index.flatten(1)).view_as(exponents), dim=2)
    return torch.where(log_mass == -torch.inf, 0.0, power * (log_mass - found))


def _grouped(exponents: list[Floats], across: list[tuple[Ints, Ints]], lines: int, device: str) -> Grouped:
    """Cells by line (the first index of ``across``), padded with cells that count nothing."""
    widest = max((int(np.bincount(line).max()) for line, _ in across if len(line)), default=0)
    values = np.full((len(exponents), lines, max(widest, 1)), -np.inf)
    index = np.zeros(values.shape, dtype=np.int64)
    for document, (exponent, (line, other)) in enumerate(zip(exponents, across, strict=True)):
        order = np.argsort(line, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=lines))])
        place = np.arange(len(line)) - starts[line[order]]
        values[document, line[order], place] = exponent[order]
        index[document, line[order], place] = other[order]
    return torch.from_numpy(values).to(device), torch.from_numpy(index).to(device)


def _log_mass(masses: list[Floats], size: int, device: str) -> torch.Tensor:
    """Logarithms, shape (documents, size); minus infinity for what has no mass and behind a document's end."""
    stacked = np.zeros((len(masses), size))
    for document, mass in enumerate(masses):
        stacked[document, : len(mass)] = mass
    return torch.log(torch.from_numpy(stacked)).to(device)
