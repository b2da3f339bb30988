"""Timing a stage."""

import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts import EMBEDDINGS
from data_contracts.contract import ContractError
from pipeline_lib.planning.pace import Clock, Tables, pace
from pipeline_lib.storage.parts import stored_size

ITEMS = {"a": 1.0, "b": 2.0, "c": 3.0}


def table(name: str, ids: int = 500) -> Tables:
    return (EMBEDDINGS.table([{"document": name, "lang": "es", "ids": list(range(ids)), "unseen": []}]),)


def slowly(name: str) -> Tables:
    time.sleep(0.01 * ITEMS[name])
    return table(name)


def test_the_rate_is_work_a_second_of_all_workers_together() -> None:
    one, two = (pace(ITEMS, slowly, [EMBEDDINGS], Clock(workers, 0.4)).rate for workers in (1, 2))
    assert 40 < one < 100  # ten milliseconds for one, and what writing takes
    assert 1.4 * one < two < 2.6 * one


def test_at_least_so_many_items_are_made_however_little_time_there_is() -> None:
    assert len(pace(ITEMS, table, [EMBEDDINGS], Clock(1, 0.0), least=3).made) == 3
    assert len(pace(ITEMS, table, [EMBEDDINGS], Clock(1, 0.0)).made) == 2
    assert list(pace({"a": 1.0}, table, [EMBEDDINGS], Clock(2, 0.0)).made) == ["a"]


def test_sizes_are_those_of_a_file_of_all_documents_for_one_unit_of_work() -> None:
    found = pace(ITEMS, table, [EMBEDDINGS], Clock(1, 0.0), least=3)
    whole = pa.concat_tables([table(name)[0] for name in found.made])
    assert found.sizes == {"embeddings": pytest.approx(stored_size(EMBEDDINGS, [whole]) / 6)}


def test_two_tables_of_one_contract_are_counted_both() -> None:
    one = pace(ITEMS, table, [EMBEDDINGS], Clock(1, 0.0), least=3)
    both = pace(ITEMS, lambda name: table(name) * 2, [EMBEDDINGS] * 2, Clock(1, 0.0), least=3)
    assert both.sizes["embeddings"] == pytest.approx(2 * one.sizes["embeddings"])


def test_a_table_that_breaks_its_contract_ends_the_timing() -> None:
    with pytest.raises(ContractError):
        pace(ITEMS, lambda name: table(name, 0), [EMBEDDINGS], Clock(1, 0.0))


def test_a_size_is_a_file_s_without_its_footer(tmp_path: object) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table("a")[0], sink, compression="zstd", compression_level=1)
    plain = sink.getvalue()
    assert stored_size(EMBEDDINGS, table("a")) == plain.size - pq.read_metadata(pa.BufferReader(plain)).serialized_size
