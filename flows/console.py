"""The terminal: where lines go, and tables of scores, links and counts."""

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from data_contracts.evaluation import ALL_LABELS
from pipeline_lib.evaluation.compare import Comparison
from pipeline_lib.evaluation.word_alignment import LinkScore

OUT = Console()
MOST_LABELS = 20
ERR = Console(stderr=True)


def score_table(scores: pl.DataFrame, title: str) -> Table:
    """Strict and char F1 with their intervals, a row a language and label; fits 80 columns, and a screen however many labels there are."""
    shown, labels = _with_most_gold(scores)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    if labels > MOST_LABELS:
        table.caption = f"of {labels} labels the {MOST_LABELS} with most gold mentions; all of them: scores.json"
    table.add_column("", no_wrap=True)
    table.add_column("label", overflow="fold", min_width=4)
    for name in ("gold", "pred.", "strict F1", "95 %", "char F1", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    for (lang, label), rows in shown.group_by(["target_lang", "label"], maintain_order=True):
        by_metric = {row["metric"]: row for row in rows.to_dicts()}
        strict, char = by_metric["strict"], by_metric["char"]
        figures = [cell for row in (strict, char) for cell in (f"{row['f1']:.4f}", _interval(row["low"], row["high"]))]
        pooled = label == ALL_LABELS
        counts = (str(strict["gold"]), str(strict["predicted"]))
        table.add_row(str(lang), _label(str(label)), *counts, *figures, style="bold" if pooled else "", end_section=pooled)
    return table


def _with_most_gold(scores: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The rows of the labels with most gold mentions and of all pooled, and how many labels there are."""
    labels = scores.filter(pl.col("label") != ALL_LABELS).group_by("label").agg(pl.col("gold").sum())
    most = labels.sort(["gold", "label"], descending=[True, False]).head(MOST_LABELS)["label"].to_list()
    return scores.filter(pl.col("label").is_in([*most, ALL_LABELS])), labels.height


def plain_score_table(scores: pl.DataFrame, title: str | None = None) -> Table:
    """Rows of SCORES as ``spanferry score`` shows them, four decimals."""
    table = figure_table(("label", "metric"), ("precision", "recall", "F1", "95 %", "gold", "pred.", "match"), title)
    for row in scores.to_dicts():
        rates = (f"{row[name]:.4f}" for name in ("precision", "recall", "f1"))
        counts = ("" if row[name] is None else str(row[name]) for name in ("gold", "predicted", "matched"))
        table.add_row(_label(row["label"]), row["metric"], *rates, _interval(row["low"], row["high"]), *counts)
    return table


def comparison_table(rows: list[Comparison]) -> Table:
    """F1 of two systems, their difference and how sure it is."""
    table = figure_table(("label", "metric"), ("F1 of A", "F1 of B", "A - B", "95 %", "p"))
    for row in rows:
        figures = (
            f"{row.f1_a:.4f}",
            f"{row.f1_b:.4f}",
            f"{row.difference:+.4f}",
            f"{row.low:+.4f} to {row.high:+.4f}",
            f"{row.p_value:.4f}",
        )
        table.add_row(_label(row.label), row.metric, *figures)
    return table


def difference_table(counts: pl.DataFrame) -> Table:
    """How many predictions only one of two systems makes, a row a label and the sum."""
    outcomes = counts.columns[1:]
    table = figure_table(("only one predicts",), tuple(name.removeprefix("only_").replace("_", ", ") for name in outcomes))
    for label, *numbers in [*counts.iter_rows(), (ALL_LABELS, *counts.select(outcomes).sum().row(0))]:
        table.add_row(_label(label), *map(str, numbers))
    return table


def link_table(rows: list[tuple[str, LinkScore]]) -> Table:
    """Word links against gold, a row a file, four decimals."""
    table = figure_table(("gold",), ("sentences", "precision", "recall", "F1", "AER", "links", "pred."))
    for name, score in rows:
        rates = (f"{rate:.4f}" for rate in (score.precision, score.recall, score.f1, score.aer))
        table.add_row(name, str(score.sentences), *rates, str(score.sure), str(score.predicted))
    return table


def figure_table(words: tuple[str, ...], numbers: tuple[str, ...], title: str | None = None) -> Table:
    """An empty table: columns of words before columns of figures. Labels fold, nothing is cut; fits 80 columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in words:
        table.add_column(name, overflow="fold", no_wrap=name == "metric")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _label(label: str) -> str:
    return "all" if label == ALL_LABELS else label


def _interval(low: float, high: float) -> str:
    """Three decimals without the leading zeros: .905-.931."""
    return "-".join(f"{share:.3f}".removeprefix("0") for share in (low, high))


def count_table(title: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> Table:
    """A small table whose last column is a number."""
    table = Table(title=title, title_justify="left")
    for name in columns[:-1]:
        table.add_column(name)
    table.add_column(columns[-1], justify="right")
    for row in rows:
        table.add_row(*map(str, row))
    return table
