"""100 Sinkhorn iterations on a band of +-100 against POT on the same problem, masked; and the same from vectors on, cosine and all."""

import numpy as np

from benchmarks.measure import Row, Work, cpu_seconds, median_ms, peak_mb, ratios
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen
from pipeline_lib.alignment.views import banded_cosine

try:
    import ot
except ImportError:
    ot = None

SIZES = (512, 1024, 2048, 4096)
CONFIG = SharpenConfig(reg=0.05, iterations=100, marginal_power=1.0)
DIMENSIONS = 1024
FORBIDDEN = 1e3  # exp(-FORBIDDEN / reg) is 0
ROUNDS = 5
PATIENCE = 30.0  # seconds that one call of the log-domain peer may be expected to take
ABSENT = "POT is not installed"


def sinkhorn_rows() -> list[Row]:
    """Times in ms, memory in MB (inputs not counted), the largest difference of n P."""
    rows: list[Row] = []
    log_seconds = 0.0
    for size in SIZES:
        band = diagonal_band(size)
        cost = np.random.default_rng(size).random(band.cells)
        contenders: dict[str, Work] = {"ours": lambda cost=cost, band=band: sharpen(cost, band, CONFIG)}
        if ot is None:
            rows.append({"units": size, "ours_ms": median_ms(contenders, ROUNDS)["ours"], "peer": ABSENT})
            continue
        dense = band.dense(cost, outside=FORBIDDEN)
        contenders |= {"pot_float64": lambda dense=dense: pot_plan(dense), "pot_float32": lambda dense=dense: pot_plan(dense, np.float32)}
        row: Row = {"units": size} | {f"{name}_ms": value for name, value in median_ms(contenders, ROUNDS).items()}
        if 4 * log_seconds < PATIENCE:
            log_seconds = cpu_seconds(lambda dense=dense: pot_plan(dense, method="sinkhorn_log"))
            row["pot_log_ms"] = 1e3 * log_seconds
        row |= ratios(row, "ours") | {f"{name}_mb": peak_mb(contenders[name]) for name in ("ours", "pot_float64")}
        rows.append(
            row | {"max_difference": float(np.abs(size * (pot_plan(dense) - band.dense(sharpen(cost, band, CONFIG).values))).max())}
        )
    return rows


def cosine_rows() -> list[Row]:
    """From unit-length float32 vectors to the plan: ours in the band alone, the peer's product and plan dense."""
    rows: list[Row] = []
    for size in SIZES:
        band, (source, target) = diagonal_band(size), vectors(size)
        outside = band.dense(np.ones(band.cells)) == 0

        def ours(source: np.ndarray = source, target: np.ndarray = target, band: Band = band) -> Floats:
            return sharpen(cost_of(banded_cosine(source, target, band)), band, CONFIG).values

        def dense(source: np.ndarray = source, target: np.ndarray = target, outside: np.ndarray = outside) -> np.ndarray:
            return pot_plan(np.where(outside, FORBIDDEN, cost_of(source @ target.T).astype(np.float64)))

        contenders: dict[str, Work] = {"ours": ours} | ({} if ot is None else {"dense_pot_float64": dense})
        row: Row = {"units": size} | {f"{name}_ms": value for name, value in median_ms(contenders, ROUNDS).items()}
        difference = {"peer": ABSENT} if ot is None else {"max_difference": float(np.abs(size * (dense() - band.dense(ours()))).max())}
        rows.append(row | ratios(row, "ours") | difference)
    return rows


def diagonal_band(size: int) -> Band:
    return band_around(scaled_diagonal(size, size), size, BandConfig())


def vectors(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit-length vectors, (size, DIMENSIONS) twice, of which the same rows are alike."""
    random = np.random.default_rng(size)
    source = random.standard_normal((size, DIMENSIONS), dtype=np.float32)
    target = source + random.standard_normal(source.shape, dtype=np.float32)
    return tuple(side / np.linalg.norm(side, axis=1, keepdims=True) for side in (source, target))


def cost_of(cosine: np.ndarray) -> np.ndarray:
    return np.clip(0.5 - 0.5 * cosine, 0.0, 1.0)


def pot_plan(dense: np.ndarray, kind: type[np.floating] = np.float64, method: str = "sinkhorn") -> np.ndarray:
    mass = np.full(len(dense), 1.0 / len(dense), dtype=kind)
    settings = {"reg": CONFIG.reg, "numItermax": CONFIG.iterations, "stopThr": 0.0, "warn": False}
    plan: np.ndarray = ot.sinkhorn(mass, mass, dense.astype(kind, copy=False), method=method, **settings)
    return plan
