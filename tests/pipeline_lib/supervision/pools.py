"""Candidates written short: one made-up document after the other, whose mentions are words and whose target is the source in capitals."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data_contracts.projection import CANDIDATES, FEATURES, MEMORY, WINDOW
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.projection.memory import Memory
from pipeline_lib.projection.scoring import CorpusKnowledge, Pool, VoteConfig, pool

Spans = list[tuple[int, int]]


def grid(text: str) -> GridText:
    found = split_units(text)
    return GridText(text, found.starts, found.ends, found.breaks)


@dataclass(frozen=True)
class Mention:
    """A mention on source units first..last, inclusive; its candidates; the evidence of target units from ``left`` on."""

    document: str
    name: str
    units: tuple[int, int]
    spans: Spans
    evidence: list[float]
    left: int = 0
    label: str = "DISEASE"
    fragment: int = 0


def candidates(*mentions: Mention) -> pa.Table:
    table = CANDIDATES.table([_row(mention) for mention in mentions])
    CANDIDATES.check(table)
    return table


def pooled(*mentions: Mention) -> Pool:
    return pool(candidates(*mentions).combine_chunks())


def nothing_known(types: int = 1) -> CorpusKnowledge:
    return CorpusKnowledge(np.zeros((types + 1, 4)), Memory.of(MEMORY.table([])), VoteConfig())


def _row(mention: Mention) -> dict[str, object]:
    evidence = np.array(mention.evidence)
    inside = [float(evidence[first - mention.left : last + 1 - mention.left].sum()) for first, last in mention.spans]
    lengths = [float(last - first + 1) for first, last in mention.spans]
    features = {name: [0.0] * len(mention.spans) for name in FEATURES}
    features |= {name: inside for name in ("share", "backward", "owned")} | {"kept": [1.0] * len(inside), "length": lengths}
    return {
        "document": mention.document,
        "source_lang": "es",
        "target_lang": "en",
        "mention": mention.name,
        "fragment": mention.fragment,
        "label": mention.label,
        "source_first": mention.units[0],
        "source_key": " ".join(["w"] * (mention.units[1] - mention.units[0] + 1)),
        "first": [first for first, _ in mention.spans],
        "last": [last for _, last in mention.spans],
        "keys": [f"{first} {last}" for first, last in mention.spans],
        "types": [0] * 4 * len(mention.spans),
        **features,
        "window_first": mention.left,
        "window": [*mention.evidence] * len(WINDOW),
        "paper_first": None,
        "paper_last": None,
    }
