import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import Contract
from data_contracts.corpus import REJECTS, WARNINGS
from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.resample import ResampleConfig, score_table
from pipeline_lib.evaluation.summary import count, scores_json
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED

Outcome = tuple[str, str | None]


def outcomes(*rows: Outcome) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema={"target_lang": pl.String, "reason": pl.String}, orient="row")


def lazy(contract: Contract, rows: list[dict[str, object]]) -> pl.LazyFrame:
    return pl.DataFrame(contract.table(rows)).lazy()


def rejects(*rows: tuple[str, str]) -> pl.LazyFrame:
    return lazy(
        REJECTS,
        [
            {
                "stage": stage,
                "file": "es/a.txt",
                "document": "a",
                "lang": "es",
                "line": None,
                "start": None,
                "end": None,
                "code": code,
                "rule": "r",
            }
            for stage, code in rows
        ],
    )


def warnings(*rows: tuple[str, int]) -> pl.LazyFrame:
    place = {name: None for name in ("document", "lang", "line", "start", "end")}
    return lazy(WARNINGS, [{"stage": "ingest", "file": "es/a.ann", **place, "code": code, "rule": "r", "count": n} for code, n in rows])


def test_projections_abstentions_and_rejects_are_counted_apart() -> None:
    found = count(
        3,
        5,
        outcomes(("en", None), ("en", None), ("cz", None), ("en", "no_aligned_unit"), ("en", "no_aligned_unit"), ("cz", "no_source_unit")),
        outcomes(("it", None), ("cz", "malformed_line"), ("it", None)),
        rejects(("scan", "no_counterpart"), ("ingest", "not_utf8"), ("scan", "no_counterpart")),
        warnings(("tab", 3), ("bom", 1), ("tab", 2)),
        ["en", "cz", "it"],
    )
    assert (found.documents, found.mentions) == (3, 5)
    assert found.projected == {"en": 2, "cz": 1, "it": 0}
    assert list(found.projected) == ["en", "cz", "it"]
    assert found.abstentions == {("cz", "no_source_unit"): 1, ("en", "no_aligned_unit"): 2}
    assert found.carried == {"en": 0, "cz": 0, "it": 2} and found.stayed == {("cz", "malformed_line"): 1}
    assert found.rejects == {("ingest", "not_utf8"): 1, ("scan", "no_counterpart"): 2}
    assert found.warnings == {"bom": 1, "tab": 5}


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["en", "it"]), st.sampled_from([None, "no_source_unit", "no_aligned_unit"]))))
def test_every_row_is_counted_once_and_the_order_of_the_rows_does_not_matter(rows: list[Outcome]) -> None:
    found = count(1, 1, outcomes(*rows), outcomes(), rejects(), warnings(), ["en", "it"])
    assert sum(found.projected.values()) + sum(found.abstentions.values()) == len(rows)
    again = count(1, 1, outcomes(*rows[::-1]), outcomes(), rejects(), warnings(), ["en", "it"])
    assert again == found and list(again.abstentions) == list(found.abstentions) == sorted(found.abstentions)


def test_nothing_gives_zeros() -> None:
    found = count(0, 0, outcomes(), outcomes(), rejects(), warnings(), ["en"])
    assert found.projected == {"en": 0} == found.carried and found.abstentions == {} == found.rejects == found.stayed


def test_scores_are_rounded_to_four_decimals_and_counts_stay_whole() -> None:
    table = score_table(GOLD, PREDICTED, "en", ResampleConfig(replicates=20))
    third = {"precision": 1 / 3, "recall": 2 / 3, "f1": 4 / 9, "low": 1 / 7, "high": 0.99999}
    table = SCORES.table([row | third for row in table.to_pylist()])
    found = json.loads(json.dumps(scores_json(table)))
    assert len(found) == table.num_rows == 4
    for row, before in zip(found, table.to_pylist(), strict=True):
        assert [row[name] for name in third] == [0.3333, 0.6667, 0.4444, 0.1429, 1.0]
        assert {name: row[name] for name in row if name not in third} == {name: before[name] for name in before if name not in third}
        assert isinstance(row["gold"], int) and list(row) == SCORES.schema.names


def test_no_scores_are_an_empty_list() -> None:
    assert scores_json(SCORES.schema.empty_table()) == []
