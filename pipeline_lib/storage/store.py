"""The store: immutable artifacts in a folder or bucket, addressed by fingerprint, published whole and verified on every hit.

``{root}/{contract}/{shard}/{fingerprint}.parquet`` with a record ``{fingerprint}.json`` beside it. The record is written last: an artifact
without one does not exist. Two writers of one artifact write the same bytes, so whoever wins is right.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from data_contracts.contract import Contract
from pipeline_lib.storage.fingerprint import Ingredients


class StoreError(RuntimeError):
    """An artifact that was promised cannot be read. Names the artifact, never its content."""


@dataclass(frozen=True)
class ArtifactRef:
    """A small, serialisable reference to one artifact; the only thing that travels through Prefect.

    Attributes:
        contract, shard, fingerprint: the address; suffix: ``.parquet``, or nothing for a folder.
        sha256: of the artifact's bytes; rows: of a table, 0 otherwise; documents: distinct documents it speaks of.
        reused: found in the store instead of built; repaired: built because what the store holds is damaged or incomplete.
        seconds: spent on building or verifying it.
    """

    contract: str
    shard: str
    fingerprint: str
    suffix: str
    sha256: str
    rows: int
    documents: int
    reused: bool = False
    repaired: bool = False
    seconds: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.contract}/{self.shard}/{self.fingerprint}{self.suffix}"


class Store:
    """Artifacts below ``root``, a folder or any fsspec URL such as ``s3://bucket/prefix``."""

    def __init__(self, root: str) -> None:
        self.root = root
        filesystem, path = (
            fsspec.core.url_to_fs(root, use_listings_cache=False) if "://" in root else (LocalFileSystem(), os.path.abspath(root))
        )
        self._fs, self._base = filesystem, path.rstrip("/")

    def tables(
        self,
        contracts: Sequence[Contract],
        shard: str,
        made_of: Ingredients,
        make: Callable[[], Iterable[Sequence[pa.Table]]],
    ) -> tuple[ArtifactRef, ...]:
        """One artifact a contract, built by ``make`` unless all are there and intact.

        ``make`` yields parts, each a table a contract; a part becomes a row group, so no more than one part is held at a time.
        """
        started = time.perf_counter()
        found = [self.find(contract.name, shard, made_of.fingerprint, ".parquet") for contract in contracts]
        if all(ref is not None for ref in found):
            return tuple(replace(ref, reused=True, seconds=time.perf_counter() - started) for ref in found if ref is not None)
        with _scratch() as folder:
            paths = [folder / f"{contract.name}.parquet" for contract in contracts]
            counts = _write_parts(contracts, paths, make(), made_of.fingerprint)
            refs = [
                self._publish(path, contract, shard, made_of, rows, documents)
                for path, contract, (rows, documents) in zip(paths, contracts, counts, strict=True)
            ]
        return tuple(replace(ref, seconds=time.perf_counter() - started) for ref in refs)

    def table(self, contract: Contract, shard: str, made_of: Ingredients, make: Callable[[], Iterable[pa.Table]]) -> ArtifactRef:
        """One table; see ``tables``."""
        return self.tables([contract], shard, made_of, lambda: ((part,) for part in make()))[0]

    def folder(self, name: str, shard: str, made_of: Ingredients, make: Callable[[Path], None]) -> ArtifactRef:
        """A flat folder of files that are no tables; ``make`` writes them into the folder it is given."""
        started = time.perf_counter()
        found = self.find(name, shard, made_of.fingerprint, "")
        if found is not None:
            return replace(found, reused=True, seconds=time.perf_counter() - started)
        with _scratch() as folder:
            make(folder)
            files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
            ref = ArtifactRef(name, shard, made_of.fingerprint, "", _listing_hash(files), 0, 0)
            for file in files:
                self._upload(folder / file, f"{self._base}/{ref.key}/{file}")
        self._record(ref, made_of, files)
        return replace(ref, seconds=time.perf_counter() - started)

    def find(self, name: str, shard: str, fingerprint: str, suffix: str) -> ArtifactRef | None:
        """The artifact of this address if its record is there and its bytes are the recorded ones, else None."""
        ref = ArtifactRef(name, shard, fingerprint, suffix, "", 0, 0)
        path = f"{self._base}/{ref.key}"
        try:
            record = json.loads(self._fs.cat_file(self._record_path(ref)))
            files = {file: self._sha256(f"{path}/{file}") for file in record["files"]}
            found = _listing_hash(files) if files else self._sha256(path)
            return replace(ref, **{key: record[key] for key in ("sha256", "rows", "documents")}) if found == record["sha256"] else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def scan(self, ref: ArtifactRef) -> Iterator[pa.Table]:
        """The parts of a table in the order they were written. Raises ``StoreError``."""
        with self._open(ref) as file, _reading(ref):
            parquet = pq.ParquetFile(file)
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group)

    def read(self, ref: ArtifactRef, columns: list[str] | None = None) -> pa.Table:
        """A whole table, or some of its columns. Raises ``StoreError``."""
        with self._open(ref) as file, _reading(ref):
            return pq.read_table(file, columns=columns)

    @contextmanager
    def local(self, ref: ArtifactRef) -> Iterator[Path]:
        """A folder artifact as a local folder, for as long as the context lasts. Raises ``StoreError``."""
        folder = f"{self._base}/{ref.key}"
        if not self._fs.isdir(folder):
            raise StoreError(f"artifact {ref.key} is missing")
        if isinstance(self._fs, LocalFileSystem):
            yield Path(folder)
            return
        with _scratch() as copy:
            for path in self._fs.ls(folder, detail=False):
                self._fs.get_file(path, str(copy / path.rsplit("/", 1)[1]))
            yield copy

    def write_record(self, key: str, value: dict[str, object]) -> None:
        """Publish a small JSON record under ``{root}/{key}``, replacing an older one."""
        self._write_json(f"{self._base}/{key}", value)

    def read_record(self, key: str) -> dict[str, object] | None:
        """A record, or None if there is none."""
        try:
            value: dict[str, object] = json.loads(self._fs.cat_file(f"{self._base}/{key}"))
        except FileNotFoundError:
            return None
        return value

    def _publish(self, path: Path, contract: Contract, shard: str, made_of: Ingredients, rows: int, documents: int) -> ArtifactRef:
        ref = ArtifactRef(contract.name, shard, made_of.fingerprint, ".parquet", _sha256(path), rows, documents)
        self._upload(path, f"{self._base}/{ref.key}")
        self._record(ref, made_of, {})
        return ref

    def _record(self, ref: ArtifactRef, made_of: Ingredients, files: dict[str, str]) -> None:
        record = {"sha256": ref.sha256, "rows": ref.rows, "documents": ref.documents, "files": files, "made_of": made_of.as_json()}
        self._write_json(self._record_path(ref), record)

    def _record_path(self, ref: ArtifactRef) -> str:
        return f"{self._base}/{ref.contract}/{ref.shard}/{ref.fingerprint}.json"

    def _write_json(self, target: str, value: dict[str, object]) -> None:
        with _scratch() as folder:
            path = folder / "record.json"
            path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            self._upload(path, target)

    def _upload(self, path: Path, target: str) -> None:
        """Make ``path``'s bytes visible at ``target`` at once or not at all."""
        if not isinstance(self._fs, LocalFileSystem):
            self._fs.put_file(str(path), target)
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".publishing-")
        try:
            with os.fdopen(descriptor, "wb") as copy, path.open("rb") as original:
                shutil.copyfileobj(original, copy)
                copy.flush()
                os.fsync(copy.fileno())
            os.replace(temporary, target)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _open(self, ref: ArtifactRef):  # type: ignore[no-untyped-def]  # fsspec is untyped
        try:
            return self._fs.open(f"{self._base}/{ref.key}", "rb")
        except FileNotFoundError:
            raise StoreError(f"artifact {ref.key} is missing") from None

    def _sha256(self, path: str) -> str:
        with self._fs.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def ref_as_json(ref: ArtifactRef) -> dict[str, object]:
    """The reference without what differs between two runs that made the same thing."""
    return {key: value for key, value in asdict(ref).items() if key not in ("reused", "repaired", "seconds")}


@contextmanager
def _reading(ref: ArtifactRef) -> Iterator[None]:
    """A file that parquet cannot read was damaged after it was verified."""
    try:
        yield
    except pa.ArrowInvalid:
        raise StoreError(f"artifact {ref.key} is damaged: run again to rebuild it") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listing_hash(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode("utf-8")).hexdigest()


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="spanferry-") as folder:
        yield Path(folder)


def _write_parts(
    contracts: Sequence[Contract], paths: Sequence[Path], parts: Iterable[Sequence[pa.Table]], fingerprint: str
) -> list[tuple[int, int]]:
    """Check and write every part; (rows, distinct documents) a contract."""
    writers = [_writer(contract, path, fingerprint) for contract, path in zip(contracts, paths, strict=True)]
    rows, documents = [0] * len(contracts), [set[str]() for _ in contracts]
    try:
        for part in parts:
            for index, (contract, table) in enumerate(zip(contracts, part, strict=True)):
                contract.check(table)
                writers[index].write_table(table)
                rows[index] += table.num_rows
                if "document" in contract.schema.names:
                    documents[index].update(name for name in table["document"].to_pylist() if name is not None)
    finally:
        for writer in writers:
            writer.close()
    return [(count, len(names)) for count, names in zip(rows, documents, strict=True)]


def _writer(contract: Contract, path: Path, fingerprint: str) -> pq.ParquetWriter:
    footer = {
        **(contract.schema.metadata or {}),
        b"spanferry.contract": contract.id.encode(),
        b"spanferry.fingerprint": fingerprint.encode(),
    }
    return pq.ParquetWriter(path, contract.schema.with_metadata(footer), compression="zstd", compression_level=1)
