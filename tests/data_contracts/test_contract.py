"""What a contract refuses, and what it says when it does."""

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import CONTRACTS, Contract, ContractError, Rule, column

VISITS = Contract(
    name="visits",
    version=3,
    doc="Visits of a ward.",
    schema=pa.schema(
        [
            column("patient", pa.string(), "patient id"),
            column("day", pa.int32(), "day of the stay, from 1"),
            column("note", pa.string(), "remark", nullable=True),
        ]
    ),
    key=("patient", "day"),
    rules=(
        Rule("day_from_one", "days count from 1", pl.col("day") >= 1),
        Rule("note_is_short", "a note has at most five characters", pl.col("note").str.len_chars() <= 5),
    ),
)
FINE: dict[str, object] = {"patient": "p1", "day": 1, "note": "calm"}


@given(st.lists(st.tuples(st.sampled_from(["p1", "p2"]), st.integers(-2, 3), st.sampled_from(["calm", "agitated"])), max_size=8))
def test_a_table_passes_exactly_if_key_and_every_rule_hold(rows: list[tuple[str, int, str]]) -> None:
    table = VISITS.table([{"patient": patient, "day": day, "note": note} for patient, day, note in rows])
    late, long = sum(day < 1 for _, day, _ in rows), sum(len(note) > 5 for _, _, note in rows)
    twice = len(rows) - len({row[:2] for row in rows})
    expected = [f"day_from_one: {late} rows"] * bool(late) + [f"note_is_short: {long} rows"] * bool(long)
    expected += [f"key (patient, day): {twice} duplicate rows"] * bool(twice)
    if expected:
        with pytest.raises(ContractError) as caught:
            VISITS.check(table)
        assert str(caught.value) == f"visits@3: {'; '.join(expected)}"
    else:
        VISITS.check(table)


def test_an_unanswered_rule_counts_as_broken() -> None:
    with pytest.raises(ContractError, match="note_is_short: 1 rows"):
        VISITS.check(VISITS.table([FINE | {"note": None}, FINE | {"day": 2}]))


def test_a_null_in_a_column_that_takes_none_is_refused() -> None:
    bare = Contract("bare", 1, "No rules.", VISITS.schema, key=())
    bare.check(bare.table([FINE | {"note": None}]))
    with pytest.raises(ContractError, match=r"bare@1: day: 2 nulls$"):
        bare.check(bare.table([FINE | {"day": None}, FINE, FINE | {"day": None}]))


def test_without_a_key_rows_may_repeat() -> None:
    Contract("log", 1, "No key.", VISITS.schema, key=(), rules=VISITS.rules).check(VISITS.table([FINE, FINE]))


def test_an_error_names_rules_and_counts_but_no_cell() -> None:
    with pytest.raises(ContractError) as caught:
        VISITS.check(VISITS.table([{"patient": "Ramona", "day": -77, "note": "feverish"}] * 2))
    assert not any(cell in str(caught.value) for cell in ("Ramona", "-77", "feverish"))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (pa.schema(list(VISITS.schema)[:2]), r"missing \['note'\]$"),
        (pa.schema([*VISITS.schema, column("bed", pa.int32(), "bed")]), r"unexpected \['bed'\]$"),
        (pa.schema([VISITS.schema[0], column("day", pa.int64(), "day"), VISITS.schema[2]]), "day is int64, not int32$"),
        (pa.schema([VISITS.schema[1], VISITS.schema[0], VISITS.schema[2]]), "order"),
        (pa.schema([VISITS.schema[0], VISITS.schema[1].with_nullable(True), VISITS.schema[2]]), "nullability"),
    ],
)
def test_another_schema_is_refused_and_the_difference_is_named(schema: pa.Schema, message: str) -> None:
    with pytest.raises(ContractError, match=f"^visits@3: schema differs: .*{message}"):
        VISITS.check(schema.empty_table())


@pytest.mark.parametrize("row", [{"patient": "p1", "day": 1}, FINE | {"bed": 7}, {}])
def test_a_row_with_other_columns_makes_no_table(row: dict[str, object]) -> None:
    with pytest.raises(ContractError, match="columns differ"):
        VISITS.table([FINE, row])


def test_rows_come_back_as_they_went_in() -> None:
    rows = [FINE, FINE | {"day": 2, "note": None}]
    assert VISITS.table(rows).to_pylist() == rows
    assert VISITS.table(rows).schema.equals(VISITS.schema, check_metadata=True)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.id)
def test_every_contract_of_the_pipeline_is_complete(contract: Contract) -> None:
    assert contract.id == f"{contract.name}@{contract.version}" and contract.doc.strip()
    assert all((field.metadata or {}).get(b"doc", b"").strip() for field in contract.schema), "a column without a meaning"
    assert set(contract.key) <= set(contract.schema.names)
    assert not any(contract.schema.field(name).nullable for name in contract.key)
    assert len({rule.name for rule in contract.rules}) == len(contract.rules)
    contract.check(contract.table([]))


def test_no_two_contracts_share_a_name() -> None:
    assert len({contract.name for contract in CONTRACTS}) == len(CONTRACTS) > 10
