"""Memory: what the corpus's translation memory says of a shard's surfaces.

A corpus remembers millions of pairs and a shard asks about thousands: the memory lies sorted by source surface, once a process, and only
the rows of the surfaces that are asked about are looked at.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.compiled import compiled

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Surfaces:
    """Surfaces as numbers.

    Attributes:
        distinct: each surface once; number: which of them each one is, shape (surfaces,).
    """

    distinct: pl.Series
    number: Longs

    @classmethod
    def of(cls, surfaces: pa.Array) -> "Surfaces":
        coded = surfaces.dictionary_encode()
        return cls(pl.Series(coded.dictionary, dtype=pl.String), coded.indices.to_numpy().astype(np.int64))

    def take(self, places: npt.NDArray[np.integer]) -> "Surfaces":
        return Surfaces(self.distinct, self.number[places])


@dataclass(frozen=True)
class Memory:
    """MEMORY, to be asked by source surface.

    Attributes:
        rows: MEMORY, sorted by source key.
        sources: one row a source key, in the same order: `source_key`, `all` its votes together, its `first` row and its `size` in rows.
    """

    rows: pl.DataFrame
    sources: pl.DataFrame

    @classmethod
    def of(cls, table: pa.Table) -> "Memory":
        """From MEMORY in any order."""
        rows = pl.DataFrame(table).sort("source_key", maintain_order=True)
        size = pl.len().cast(pl.Int64)
        sources = rows.group_by("source_key", maintain_order=True).agg(pl.col("votes").sum().alias("all"), size.alias("size"))
        return cls(rows, sources.with_columns((pl.col("size").cum_sum() - pl.col("size")).alias("first")))

    def votes(self, source: Surfaces, target: Surfaces) -> tuple[Floats, Floats]:
        """Votes for each pair of surfaces, and for its source surface whatever it became; each of shape (pairs,)."""
        found = self._about(source.distinct)
        every = np.zeros(len(source.distinct))
        every[found["number"].to_numpy()] = found["all"].to_numpy()
        number = np.repeat(found["number"].to_numpy(), found["size"].to_numpy())
        rows = self.rows[_ranges(found["first"].to_numpy(), found["size"].to_numpy())].with_columns(pl.Series("number", number))
        readings = pl.DataFrame({"target_key": target.distinct}).with_row_index("reading")
        known = rows.join(readings, on="target_key")
        pairs = known["number"].to_numpy() * len(readings) + known["reading"].to_numpy()
        return _at(pairs, known["votes"].to_numpy(), source.number * len(readings) + target.number), every[source.number]

    def votes_into(self, target: Surfaces) -> Floats:
        """Votes that all source surfaces together give each target surface, shape (surfaces,)."""
        distinct = pl.DataFrame({"target_key": target.distinct})
        votes = distinct.join(self._targets, on="target_key", how="left", maintain_order="left")["votes"].fill_null(0.0)
        return np.asarray(votes.to_numpy()[target.number])

    @cached_property
    def _targets(self) -> pl.DataFrame:
        return self.rows.group_by("target_key").agg(pl.col("votes").sum())

    def _about(self, surfaces: pl.Series) -> pl.DataFrame:
        """Rows of ``sources`` on the given distinct surfaces that are known, each with the `number` of its surface."""
        at = self.sources["source_key"].search_sorted(surfaces).cast(pl.Int64).to_numpy()
        number = np.flatnonzero(at < len(self.sources))
        found = self.sources[at[number]].with_columns(pl.Series("number", number), pl.Series("asked", surfaces.gather(number)))
        return found.filter(pl.col("source_key") == pl.col("asked"))


def joint_votes(own: Floats, reading: Longs, bounds: Longs) -> Floats:
    """What the candidates of a mention that read alike give together to the surface that they read; shape (candidates,).

    Args:
        own: vote, reading: number of the target surface; each of shape (candidates,).
        bounds: first candidate of each mention, and the end; shape (mentions + 1,).
    """
    together = np.empty(len(own))
    _sum_alike(own, reading, bounds, together)
    return together


@compiled()
def _sum_alike(own: Floats, reading: Longs, bounds: Longs, together: Floats) -> None:
    for mention in range(len(bounds) - 1):
        for one in range(bounds[mention], bounds[mention + 1]):
            total = 0.0
            for other in range(bounds[mention], bounds[mention + 1]):
                if reading[other] == reading[one]:
                    total += own[other]
            together[one] = total


def _ranges(first: Longs, size: Longs) -> Longs:
    """The numbers from each ``first`` on, ``size`` of them, one range after the other."""
    ends = np.cumsum(size)
    return np.repeat(first - ends + size, size) + np.arange(ends[-1] if len(ends) else 0)


def _at(keys: Longs, values: Floats, wanted: Longs) -> Floats:
    """The value of each wanted key, 0 where there is none."""
    order = np.argsort(keys)
    keys, values = np.append(keys[order], -1), np.append(values[order], 0.0)  # the end stands for what is not there
    at = np.searchsorted(keys[:-1], wanted)
    return np.where(keys[at] == wanted, values[at], 0.0)
