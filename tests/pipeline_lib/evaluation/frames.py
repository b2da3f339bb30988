"""Frames with the official columns, and the fixture of the official scorer."""

import polars as pl

Row = tuple[str, str, int, int]
SCHEMA = {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64}


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


GOLD = frame(("d1", "DISEASE", 10, 18), ("d2", "DISEASE", 5, 13))
PREDICTED = frame(("d1", "DISEASE", 10, 18), ("d2", "DISEASE", 5, 12), ("d2", "DISEASE", 100, 110))
