"""Word alignments against gold links: precision, recall, F1 and alignment error rate, micro over sentence pairs.

Och & Ney 2003 ("A systematic comparison of various statistical alignment models", section 5): with predicted links A, sure links S and
possible links P that hold every sure one, precision is ``|A & P| / |A|``, recall ``|A & S| / |S|`` and the alignment error rate
``1 - (|A & S| + |A & P|) / (|A| + |S|)``. F1 is that of the sure links alone, ``2 |A & S| / (|A| + |S|)``: where gold marks no possible
links it is the harmonic mean of precision and recall, and AER is ``1 - F1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline_lib.alignment.links import Links
from pipeline_lib.evaluation.word_links import LinkedPair


@dataclass(frozen=True)
class LinkScore:
    """Rates in [0, 1], rounded to four decimals, and the counts of links behind them; ``possible`` counts the sure ones too."""

    precision: float
    recall: float
    f1: float
    aer: float
    sentences: int
    predicted: int
    sure: int
    possible: int
    matched_sure: int
    matched_possible: int


def score_links(gold: Sequence[LinkedPair], predicted: Sequence[Links]) -> LinkScore:
    """The score of predicted links, a set a gold pair. A rate whose denominator is 0 is 0; so is the AER where nothing is linked.

    Raises:
        ValueError: another number of predictions than of gold pairs.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold sentence pairs, {len(predicted)} predicted ones")
    made = sum(map(len, predicted))
    sure, possible = sum(len(pair.sure) for pair in gold), sum(len(pair.possible) for pair in gold)
    matched_sure = sum(len(links & pair.sure) for pair, links in zip(gold, predicted, strict=True))
    matched_possible = sum(len(links & pair.possible) for pair, links in zip(gold, predicted, strict=True))
    both = made + sure
    return LinkScore(
        precision=_share(matched_possible, made),
        recall=_share(matched_sure, sure),
        f1=_share(2 * matched_sure, both),
        aer=_share(both - matched_sure - matched_possible, both),
        sentences=len(gold),
        predicted=made,
        sure=sure,
        possible=possible,
        matched_sure=matched_sure,
        matched_possible=matched_possible,
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
