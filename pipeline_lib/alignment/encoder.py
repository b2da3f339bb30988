"""The student's network: a unit's vector is its type's frozen feature blocks, what its neighbours add, and a learnt correction.

Untrained, the inner product of two vectors is the weighted sum of the teachers' views, the alignment target's similarity. What can be
learnt is how blocks are weighed, how far windows reach, and the correction, which starts at zero.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch.nn.functional import conv1d, gelu, normalize
from transformers import PreTrainedConfig, PreTrainedModel

from pipeline_lib.alignment.features import SIDES
from pipeline_lib.alignment.fitted import Rows

SHIFTS = (-2, -1, 1, 2)  # the token view's context: 5 units (paper)
ROWS_AT_ONCE = 4096  # of a table that is copied


class EncoderConfig(PreTrainedConfig):
    """Sizes of the network, as ``config.json`` holds them."""

    model_type = "spanferry-student"

    def __init__(
        self,
        types: tuple[int, int] = (1, 1),
        widths: Mapping[str, int] | None = None,
        windows: tuple[int, int] = (12, 3),
        hidden: int = 128,
        layers: int = 2,
        reach: int = 4,
        **rest: Any,
    ) -> None:
        """``types``: of source and target; ``widths``: of the blocks spelling, lexicon, sentence, phrase, and of a ``neighbour``;

        ``windows``: half-widths of the sentence and the phrase window; ``reach``: half-width of a layer of the correction, units.
        """
        self.types = list(types)
        self.widths = dict(widths or {"spelling": 1, "lexicon": 1, "sentence": 1, "phrase": 1, "neighbour": 1})
        self.windows = list(windows)
        self.hidden, self.layers, self.reach = hidden, layers, reach
        super().__init__(**rest)


class TypeTables(torch.nn.Module):
    """Frozen vectors of one side's types; the last row, of a type that was never met, is zero. They are no part of the weights."""

    def __init__(self, types: int, widths: Mapping[str, int]) -> None:
        super().__init__()
        for name, width in (*((name, widths[name]) for name in ("lexicon", "sentence", "phrase")), ("salience", 1)):
            self.register_buffer(name, torch.zeros(types + 1, width, dtype=torch.float16), persistent=False)

    def fill(self, tables: Mapping[str, Rows]) -> None:
        for name, table in tables.items():
            buffer, (types, width) = self.get_buffer(name), table.shape
            for first in range(0, types, ROWS_AT_ONCE):
                rows = slice(first, min(first + ROWS_AT_ONCE, types))
                buffer[rows, :width] = torch.from_numpy(np.ascontiguousarray(table[rows]))

    def read(self, name: str, ids: torch.Tensor) -> torch.Tensor:
        return self.get_buffer(name)[ids].float()


class Layer(torch.nn.Module):
    """One layer of the correction: every channel mixed along the text, then the channels of every unit."""

    def __init__(self, hidden: int, reach: int) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(hidden)
        self.along = torch.nn.Conv1d(hidden, hidden, 2 * reach + 1, padding=reach, groups=hidden)
        self.across = torch.nn.Linear(hidden, 2 * hidden)
        self.back = torch.nn.Linear(2 * hidden, hidden)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        mixed: torch.Tensor = self.along(self.norm(states).T[None])[0].T
        added: torch.Tensor = self.back(gelu(self.across(mixed)))
        return states + added


class StudentEncoder(PreTrainedModel):
    """Reads one text of one side at a time."""

    config_class = EncoderConfig
    base_model_prefix = "encoder"

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        widths = config.widths
        token, views = widths["spelling"] + widths["lexicon"], widths["sentence"] + widths["phrase"]
        width = token + len(SHIFTS) * widths["neighbour"] + 2 * views
        self.tables = torch.nn.ModuleDict({side: TypeTables(size, widths) for side, size in zip(SIDES, config.types, strict=True)})
        self.scales = torch.nn.ParameterDict(
            {name: torch.nn.Parameter(torch.ones(())) for name in ("spelling", "lexicon", "sentence", "phrase", "wide", "near")}
        )
        self.neighbours = torch.nn.ModuleList(torch.nn.Linear(token, widths["neighbour"], bias=False) for _ in SHIFTS)
        self.wide, self.near = (torch.nn.Parameter(torch.ones(2 * half + 1)) for half in config.windows)
        self.inward = torch.nn.Linear(width, config.hidden)
        self.layers = torch.nn.ModuleList(Layer(config.hidden, config.reach) for _ in range(config.layers))
        self.outward = torch.nn.Linear(config.hidden, width, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]

    @property
    def width(self) -> int:
        return self.outward.out_features

    def known(self, side: str) -> TypeTables:
        """What is known of the types of ``side``."""
        return cast(TypeTables, self.tables[side])

    def forward(self, ids: torch.Tensor, spelling: torch.Tensor, side: str) -> torch.Tensor:
        """Unit-length vectors, shape (units, width).

        Args:
            ids: row of each unit's type in the tables of ``side``, shape (units,); spelling: shape (units, spelling width).
        """
        features = self._features(ids, spelling, side)
        states = self.inward(features)
        for layer in self.layers:
            states = layer(states)
        return normalize(features + self.outward(states), dim=1)

    def _features(self, ids: torch.Tensor, spelling: torch.Tensor, side: str) -> torch.Tensor:
        tables, scales = self.known(side), self.scales
        token = torch.cat([scales["spelling"] * spelling, scales["lexicon"] * tables.read("lexicon", ids)], dim=1)
        around = [_shifted(project(token), shift) for project, shift in zip(self.neighbours, SHIFTS, strict=True)]
        sentence, phrase = tables.read("sentence", ids), tables.read("phrase", ids)
        salience = tables.read("salience", ids)
        wide, near = _window(salience * sentence, self.wide), _window(salience * phrase, self.near)
        plain = [scales["sentence"] * sentence, scales["phrase"] * phrase]
        return torch.cat([token, *around, *plain, scales["wide"] * wide, scales["near"] * near], dim=1)


def _shifted(vectors: torch.Tensor, shift: int) -> torch.Tensor:
    """Row i holds what was in row i + shift; zero past the text's ends."""
    inside = vectors[shift:] if shift > 0 else vectors[:shift]
    padding = (0, 0, 0, min(shift, len(vectors))) if shift > 0 else (0, 0, min(-shift, len(vectors)), 0)
    return torch.nn.functional.pad(inside, padding)


def _window(vectors: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Unit-length weighted mean over a window around every row, shape (units, dimensions)."""
    return normalize(conv1d(vectors.T[:, None], kernel[None, None], padding=len(kernel) // 2)[:, 0].T, dim=1)
