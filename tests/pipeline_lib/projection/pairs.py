"""Aligned pairs, written short: texts on their grids, dense signals, and the candidates that follow from them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_contracts.alignment import ALIGNMENTS, POSTERIORS
from data_contracts.projection import CANDIDATES, CORPUS_EDGES, FEATURES, MEMORY, WINDOW
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.sinkhorn import plan_columns, plan_of
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.evidence import SIGNALS, Aligned, Evidence, evidence
from pipeline_lib.projection.gather import PairTexts, Support, candidate_tables
from pipeline_lib.projection.scoring import CorpusKnowledge, VoteConfig, corpus_knowledge
from tests.pipeline_lib.projection.rows import checked

Texts = Mapping[str, str]
Row = dict[str, object]


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def grids(texts: Texts) -> dict[str, GridText]:
    return {name: grid(text) for name, text in texts.items()}


def full_band(rows: int, columns: int) -> Band:
    return Band(np.zeros(rows, dtype=np.int32), np.full(rows, columns, dtype=np.int32), columns)


def narrow_band(units: int, zero: int = 4) -> Band:
    """Around the diagonal of a text and itself."""
    return band_around(scaled_diagonal(units, units), units, BandConfig(full=1, zero=zero))


def aligned(
    source: str,
    target: str,
    dense: npt.ArrayLike,
    band: Band | None = None,
    edges: Floats | None = None,
    support: dict[str, Floats] | None = None,
) -> Aligned:
    """A pair of the given signals, shape (signals, source units, target units); one matrix is all signals at once."""
    ours, theirs = grid(source), grid(target)
    n, m = len(ours.starts), len(theirs.starts)
    band = band or full_band(n, m)
    signals = np.broadcast_to(np.asarray(dense, dtype=np.float64), (len(SIGNALS), n, m))
    cells = signals[:, band.row_of_cell(), band.column_of_cell()]
    return Aligned(ours, theirs, band, np.ascontiguousarray(cells), np.zeros((m, 4)) if edges is None else edges, support or {})


def evidence_of(units: range, label: str, pair: Aligned) -> Evidence:
    """The evidence of one mention."""
    tagged = np.atleast_2d(pair.support.get(label, np.zeros((0, len(pair.edges))))).astype(np.int64)
    found: Evidence = evidence((units.start, units.stop), (pair.band.low, pair.band.high, pair.band.indptr, pair.signals), tagged)
    return found


def plan_row(document: str, dense: npt.ArrayLike, band: Band | None = None) -> Row:
    """A plan given dense, shape (source units, target units)."""
    matrix = np.asarray(dense, dtype=np.float64)
    rows, columns = matrix.shape
    band = band or full_band(rows, columns)
    plan = plan_of(matrix[band.row_of_cell(), band.column_of_cell()] / rows, band)
    return {"document": document, "source_lang": "es", "target_lang": "en"} | plan_columns(plan, band)


def posterior_row(document: str, forward: npt.ArrayLike, backward: npt.ArrayLike | None = None) -> Row:
    """Posteriors given dense, shape (source units, target units); one matrix is both directions."""
    ahead = np.asarray(forward, dtype=np.float64)
    back = ahead if backward is None else np.asarray(backward, dtype=np.float64)
    rows, columns = np.nonzero((ahead > 0) | (back > 0))
    return {
        "document": document,
        "source_lang": "es",
        "target_lang": "en",
        "rows": rows.astype(np.int32),
        "columns": columns.astype(np.int32),
        "forward": ahead[rows, columns].astype(np.float32),
        "backward": back[rows, columns].astype(np.float32),
    }


def pair_texts(source: Texts, target: Texts, edges: Floats | None = None, ids: Mapping[str, Sequence[int]] | None = None) -> PairTexts:
    """A shard whose target units are all of type 0, unless ``ids`` says otherwise."""
    theirs = grids(target)
    types = {name: TypedText(np.array((ids or {}).get(name, [0] * len(text.starts)), np.int32), []) for name, text in theirs.items()}
    return PairTexts(("es", "en"), grids(source), theirs, types, np.zeros((2, 4)) if edges is None else edges)


def gather(
    mentions: pa.Table,
    texts: PairTexts,
    plans: Iterable[Row],
    posteriors: Iterable[Row] | None = None,
    config: CandidateConfig | None = None,
    support: Support | None = None,
    at_once: int = 2,
) -> pa.Table:
    """CANDIDATES of all mentions, checked; without posteriors, there are none."""
    rows = list(plans)
    parts = [ALIGNMENTS.table(rows[first : first + at_once]) for first in range(0, len(rows), at_once)]
    known = [posterior_row(str(row["document"]), np.zeros((1, 1))) for row in rows] if posteriors is None else posteriors
    found = candidate_tables(mentions, texts, iter(parts), POSTERIORS.table(known), support or {}, config or CandidateConfig())
    return checked(CANDIDATES, pa.concat_tables([CANDIDATES.table([]), *found]))


def gather_identity(
    mentions: pa.Table, texts: Texts, signal: float = 1.0, zero: int = 4, config: CandidateConfig | None = None
) -> pa.Table:
    """CANDIDATES of texts that are their own translations, on a narrow band; ``signal`` is what plan and posteriors say of the diagonal."""
    eyes = {name: signal * np.eye(len(text.starts)) for name, text in grids(texts).items()}
    plans = [plan_row(name, eye, narrow_band(len(eye), zero)) for name, eye in eyes.items()]
    return gather(mentions, pair_texts(texts, texts), plans, [posterior_row(name, eye) for name, eye in eyes.items()], config)


def candidate_row(
    *spans: tuple[int, int],
    mention: str = "T1",
    document: str = "d",
    source: str = "fiebre",
    place: int = 0,
    keys: Sequence[str] | None = None,
    types: Sequence[tuple[int, int, int, int]] | None = None,
    label: str = "DISEASE",
    paper: tuple[int, int] | None = None,
    **features: Sequence[float],
) -> Row:
    """A row of CANDIDATES; features that are not named are 0, but all of the mention is ``kept``."""
    values = {name: [0.0] * len(spans) for name in FEATURES} | {"kept": [1.0] * len(spans)} | features
    return {
        "document": document,
        "source_lang": "es",
        "target_lang": "en",
        "mention": mention,
        "fragment": 0,
        "label": label,
        "source_first": place,
        "source_key": source,
        "first": [first for first, _ in spans],
        "last": [last for _, last in spans],
        "keys": list(keys) if keys else [f"{first}-{last}" for first, last in spans],
        "types": [kind for four in (types or [(-1, -1, -1, -1)] * len(spans)) for kind in four],
        **values,
        "window_first": 0,
        "window": [0.0] * (len(WINDOW) * (max((last for _, last in spans), default=0) + 3)),
        "paper_first": paper[0] if paper else None,
        "paper_last": paper[1] if paper else None,
    }


def candidate_table(*rows: Row) -> pa.Table:
    return checked(CANDIDATES, CANDIDATES.table(rows))


def nothing_known(types: int = 1) -> CorpusKnowledge:
    """A corpus that has said nothing."""
    return corpus_says({}, np.zeros((types + 1, 4)))


def corpus_says(votes: Mapping[tuple[str, str], float], edges: Floats | None = None) -> CorpusKnowledge:
    """MEMORY of (source key, target key), and CORPUS_EDGES."""
    memory = MEMORY.table([{"source_key": source, "target_key": target, "votes": count} for (source, target), count in votes.items()])
    return corpus_knowledge(corpus_edges_table(np.zeros((2, 4)) if edges is None else edges), memory, VoteConfig())


def corpus_edges_table(edges: Floats) -> pa.Table:
    columns = [pa.array(range(len(edges)), pa.int32()), *(pa.array(edges[:, place]) for place in range(4))]
    return checked(CORPUS_EDGES, pa.Table.from_arrays(columns, schema=CORPUS_EDGES.schema))
