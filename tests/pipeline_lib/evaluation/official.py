"""The official definitions, restated word for word with loops over mentions. Slow, unrounded, and independent of the scorer."""

from itertools import product

Row = tuple[str, str, int, int]
Rates = tuple[float, float, float]


def official_strict(gold: list[Row], pred: list[Row]) -> Rates:
    """Per document one-to-one equality of (label, start, end), pooled; predictions counted once, gold as often as written."""
    tp = fp = fn = 0
    once = _distinct(pred)
    for document in {row[0] for row in gold + once}:
        free = [row for row in once if row[0] == document]
        for mention in (row for row in gold if row[0] == document):
            if mention in free:
                free.remove(mention)
                tp += 1
            else:
                fn += 1
        fp += len(free)
    return _rates(tp / (tp + fp) if tp + fp else 0.0, tp / (tp + fn) if tp + fn else 0.0)


def official_char(gold: list[Row], pred: list[Row]) -> Rates:
    """Mean over predictions, and mean over gold, of the best overlap with any mention of the other side."""
    once = _distinct(pred)
    best_of_gold, best_of_pred = [0.0] * len(gold), [0.0] * len(once)
    for (i, left), (j, right) in product(enumerate(gold), enumerate(once)):
        best_of_gold[i] = max(best_of_gold[i], overlap(left, right))
        best_of_pred[j] = max(best_of_pred[j], overlap(left, right))
    return _rates(_mean(best_of_pred), _mean(best_of_gold))


def overlap(left: Row, right: Row) -> float:
    """``2 |g∩p| / (|g|+|p|)`` of the character positions; 0 for another file or label."""
    if left[:2] != right[:2]:
        return 0.0
    one, other = set(range(left[2], left[3])), set(range(right[2], right[3]))
    return 2 * len(one & other) / (len(one) + len(other))


def _distinct(rows: list[Row]) -> list[Row]:
    return list(dict.fromkeys(rows))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rates(precision: float, recall: float) -> Rates:
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0
