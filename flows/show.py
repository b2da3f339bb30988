"""One document side by side: the only place that prints text, because its user asked for it."""

from pathlib import Path

import polars as pl
from rich.columns import Columns
from rich.panel import Panel
from rich.text import Text

STYLES = ("black on bright_yellow", "black on bright_cyan", "black on bright_green", "black on bright_magenta", "black on bright_red")
# Blanks for control characters: Text would take some out, which moves offsets, and others steer the terminal.
_CONTROLS = {code: " " for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


class ShowError(ValueError):
    """The document is not among a run's outputs."""


def side_by_side(document: str, target: str, out: Path, width: int) -> Columns:
    """Source and target text with their mentions highlighted, one colour a label. Raises ``ShowError``."""
    file = out / "projections.parquet"
    if not file.is_file():
        raise ShowError(f"{out} holds no projections.parquet: give the --out of a finished run")
    rows = pl.read_parquet(file).filter((pl.col("document") == document) & (pl.col("target_lang") == target))
    if rows.is_empty():
        raise ShowError(f"no mentions of document {document!r} in language {target!r} under {out}")
    source = rows["source_lang"][0]
    styles = {label: STYLES[number % len(STYLES)] for number, label in enumerate(sorted(rows["label"].unique()))}
    abstained = rows["reason"].is_not_null().sum()
    panels = []
    for lang, starts, ends in ((source, "source_starts", "source_ends"), (target, "starts", "ends")):
        path = out / lang / f"{document}.txt"
        if not path.is_file():
            raise ShowError(f"{out} holds no text of document {document!r} in language {lang!r}")
        # Bytes, not read_text: universal newlines would move every offset after a CRLF.
        text = Text(path.read_bytes().decode("utf-8").translate(_CONTROLS))
        for row in rows.to_dicts():
            for start, end in zip(row[starts], row[ends], strict=True):
                text.stylize(styles[row["label"]], start, end)
        note = f", {abstained} not projected" if lang == target and abstained else ""
        panels.append(Panel(text, title=f"{document} ({lang}{note})", subtitle=_legend(styles), width=max(width // 2 - 1, 30)))
    return Columns(panels)


def _legend(styles: dict[str, str]) -> Text:
    return Text(" ").join(Text(f" {label} ", style=style) for label, style in styles.items())
