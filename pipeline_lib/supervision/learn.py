"""Learning: from the candidates and the gold of the declared documents to a re-ranker, and from a re-ranker to a judge of candidates."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.projection import CANDIDATES
from pipeline_lib.projection.decode import Judge, SpanModel, Verdict
from pipeline_lib.projection.scoring import CorpusKnowledge, Pool, pool
from pipeline_lib.supervision.features import Texts, rerank_features, weigh
from pipeline_lib.supervision.ownership import Span, fragments_of, lesson
from pipeline_lib.supervision.rerank import Examples, RerankConfig, Reranker, train


def learn(
    parts: Iterable[pa.Table],
    mentions: Iterable[pa.Table],
    gold: Mapping[str, Sequence[Span]],
    known: CorpusKnowledge,
    texts: Texts,
    model: SpanModel,
    config: RerankConfig,
) -> Reranker:
    """The re-ranker of the documents that ``gold`` holds. Raises ``RerankError`` where they are too few.

    Args:
        parts: CANDIDATES, mentions: MENTIONS of the source; of the declared documents or of more.
    """
    declared = pa.array(sorted(gold), pa.string())
    kept = pa.concat_tables([CANDIDATES.schema.empty_table(), *(part.filter(pc.is_in(part["document"], declared)) for part in parts)])
    rows = [row for table in mentions for row in table.filter(pc.is_in(table["document"], declared)).to_pylist()]
    return train(examples(pool(kept.combine_chunks()), rows, gold, known, texts, model), config)


def examples(
    found: Pool,
    mentions: Iterable[Mapping[str, object]],
    gold: Mapping[str, Sequence[Span]],
    known: CorpusKnowledge,
    texts: Texts,
    model: SpanModel,
) -> Examples:
    """What the declared documents teach. Copies of a text under two names are one document: cross-fitting must not split them."""
    weighed = weigh(found, known, model)
    taught = lesson(found, weighed.likely, gold, fragments_of(mentions), texts.source, texts.target)
    names = found.table["document"].to_pylist()
    same = {text: number for number, text in enumerate(dict.fromkeys(texts.target[name].text for name in dict.fromkeys(names)))}
    number_of_row = np.array([same[texts.target[name].text] for name in names], dtype=np.int64)
    everything = Examples(
        rerank_features(found, known, model, weighed, texts), taught.right, found.owner, weighed.scores, number_of_row[found.owner]
    )
    return everything.part(taught.counts)


def judge(reranker: Reranker, texts: Texts) -> Judge:
    """The re-ranker as what decides among candidates, and as the confidence in them."""

    def verdict(found: Pool, known: CorpusKnowledge, model: SpanModel) -> Verdict:
        weighed = weigh(found, known, model)
        shares = reranker.shares(rerank_features(found, known, model, weighed, texts), weighed.scores, found.owner)
        return Verdict(shares, reranker.facts.calibration(shares))

    return verdict
