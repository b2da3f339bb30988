"""Parts become the row groups of a file that says whose contract it keeps."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_contracts import Contract, ContractError, column
from pipeline_lib.storage.parts import stored_size, write_parts
from tests.pipeline_lib.storage.test_store import BEATS, beats


def test_a_part_is_a_row_group_and_rows_and_documents_are_counted_over_all(tmp_path: Path) -> None:
    parts = [(beats(d1=60, d2=70),), (beats(d2=80),), (beats(),)]
    assert write_parts([BEATS], [tmp_path / "beats"], parts, "00ff") == [(3, 2)]
    file = pq.ParquetFile(tmp_path / "beats")
    assert [file.read_row_group(group)["rate"].to_pylist() for group in range(file.num_row_groups)][:2] == [[60, 70], [80]]
    assert file.schema_arrow.metadata[b"spanferry.contract"] == b"beats@4"
    assert file.schema_arrow.metadata[b"spanferry.fingerprint"] == b"00ff"


def test_a_part_that_breaks_the_contract_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="alive"):
        write_parts([BEATS], [tmp_path / "beats"], [(beats(d1=0),)], "00ff")


def test_there_is_a_table_a_contract_in_every_part(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_parts([BEATS, BEATS], [tmp_path / "a", tmp_path / "b"], [(beats(d1=60),)], "00ff")


def test_a_size_is_that_of_a_file_of_the_same_parts_without_its_footer(tmp_path: Path) -> None:
    parts = [beats(d1=60, d2=70), beats(d3=80)]
    write_parts([BEATS], [tmp_path / "beats"], [(part,) for part in parts], "00ff")
    footer = pq.read_metadata(tmp_path / "beats").serialized_size
    assert stored_size(BEATS, parts) == (tmp_path / "beats").stat().st_size - footer


def test_a_size_of_parts_that_break_the_contract_is_an_error() -> None:
    with pytest.raises(ContractError, match="alive"):
        stored_size(BEATS, [beats(d1=0)])


def test_only_values_that_repeat_are_written_through_a_dictionary(tmp_path: Path) -> None:
    kinds = {"document": pa.string(), "names": pa.list_(pa.string()), "costs": pa.large_list(pa.float32())}
    contract = Contract("toys", 1, "", pa.schema([column(name, kind, name) for name, kind in kinds.items()]), ("document",))
    table = contract.table([{"document": f"d{number}", "names": ["a", "b"] * 50, "costs": [number / 7, 0.5]} for number in range(9)])
    write_parts([contract], [tmp_path / "toys"], [(table,)], "00ff")
    group = pq.ParquetFile(tmp_path / "toys").metadata.row_group(0)
    through = {group.column(n).path_in_schema.split(".")[0]: "RLE_DICTIONARY" in group.column(n).encodings for n in range(3)}
    assert through == {"document": True, "names": True, "costs": False}
    assert pq.read_table(tmp_path / "toys")["costs"].to_pylist()[8] == pytest.approx([8 / 7, 0.5])
