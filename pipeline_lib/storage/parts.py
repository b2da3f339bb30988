"""Tables as parquet files: part by part, each checked against its contract, which the file's footer names."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.contract import Contract


def write_parts(
    contracts: Sequence[Contract], paths: Sequence[Path], parts: Iterable[Sequence[pa.Table]], fingerprint: str, checked: bool = False
) -> list[tuple[int, int]]:
    """Write every part, and check it unless it was ``checked``; (rows, distinct documents) a contract."""
    writers = [_writer(contract, path, fingerprint) for contract, path in zip(contracts, paths, strict=True)]
    rows, documents = [0] * len(contracts), [set[str]() for _ in contracts]
    try:
        for part in parts:
            for index, (contract, table) in enumerate(zip(contracts, part, strict=True)):
                if not checked:
                    contract.check(table)
                writers[index].write_table(table)
                rows[index] += table.num_rows
                if "document" in contract.schema.names:
                    documents[index].update(name for name in table["document"].to_pylist() if name is not None)
    finally:
        for writer in writers:
            writer.close()
    return [(count, len(names)) for count, names in zip(rows, documents, strict=True)]


def stored_size(contract: Contract, parts: Iterable[pa.Table]) -> int:
    """Bytes that checked parts would take in a file, without its footer; written to memory."""
    sink = pa.BufferOutputStream()
    with _writer(contract, sink, "") as writer:
        for part in parts:
            contract.check(part)
            writer.write_table(part)
    written = sink.getvalue()
    return int(written.size - pq.read_metadata(pa.BufferReader(written)).serialized_size)


def _writer(contract: Contract, path: Path | pa.NativeFile, fingerprint: str) -> pq.ParquetWriter:
    footer = {
        **(contract.schema.metadata or {}),
        b"spanferry.contract": contract.id.encode(),
        b"spanferry.fingerprint": fingerprint.encode(),
    }
    repeating = _repeating(contract.schema)
    return pq.ParquetWriter(path, contract.schema.with_metadata(footer), compression="zstd", compression_level=1, use_dictionary=repeating)


def _repeating(schema: pa.Schema) -> list[str]:
    """The columns whose values repeat. Lists of floats seldom do: a dictionary of them is as large as they are, and comes on top."""
    lists = {field.name: hasattr(field.type, "value_type") for field in schema}
    plain = [field.name for field in schema if not lists[field.name]]
    inner = [f"{field.name}.list.element" for field in schema if lists[field.name] and not pa.types.is_floating(field.type.value_type)]
    return plain + inner
