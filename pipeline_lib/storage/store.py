"""The store: immutable artifacts in a folder or bucket, addressed by fingerprint, published whole and verified on every use.

``{root}/{contract}/{shard}/{fingerprint}.parquet`` with a record ``{fingerprint}.json`` beside it. The record is written last: an artifact
without one does not exist. Two writers of one artifact write the same bytes, so whoever wins is right.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_contracts.contract import Contract
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.copies import Copies
from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.parts import write_parts
from pipeline_lib.storage.place import Place, StoreError, md5, scratch, sha256
from pipeline_lib.storage.records import render, seal, unseal

_FACTS = ("sha256", "md5", "rows", "documents", "bytes")
COPIES = Copies()  # of folder artifacts, for all stores of the process
KNOWN: "dict[str, dict[str, ArtifactRef]]" = {}  # by store and key: artifacts that need no look; see ``recall``


class DamagedArtifact(StoreError):
    """An artifact's record is there, but its bytes are missing or not the recorded ones."""


class Store:
    """Artifacts and records below ``root``, a folder or any fsspec URL such as ``s3://bucket/prefix``."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._place = Place(root)

    def tables(
        self,
        contracts: Sequence[Contract],
        shard: str,
        made_of: Ingredients,
        make: Callable[[], Iterable[Sequence[pa.Table]]],
        facts: Callable[[], Mapping[str, object]] = dict,
        checked: bool = False,
    ) -> tuple[ArtifactRef, ...]:
        """One artifact a contract, built by ``make`` unless all are there and intact.

        ``make`` yields parts, each a table a contract; a part becomes a row group, so no more than one part is held at a time.
        ``facts``, asked when all is made, are for the record of the first; see ``builds``. ``checked``: ``make`` checks what it makes.
        """
        started = time.perf_counter()
        wanted = [ArtifactRef(contract.name, shard, made_of.fingerprint, ".parquet", "", 0, 0) for contract in contracts]
        found, damaged = self._intact(wanted)
        if found:
            return tuple(replace(ref, seconds=time.perf_counter() - started) for ref in found)
        with scratch() as folder:
            paths = [folder / f"{contract.name}.parquet" for contract in contracts]
            counts = write_parts(contracts, paths, make(), made_of.fingerprint, checked)
            refs = [
                self._publish(path, replace(ref, rows=rows, documents=documents), made_of, facts() if ref is wanted[0] else {})
                for path, ref, (rows, documents) in zip(paths, wanted, counts, strict=True)
            ]
        return tuple(replace(ref, repaired=damaged, seconds=time.perf_counter() - started) for ref in refs)

    def table(self, contract: Contract, shard: str, made_of: Ingredients, make: Callable[[], Iterable[pa.Table]]) -> ArtifactRef:
        """One table; see ``tables``."""
        return self.tables([contract], shard, made_of, lambda: ((part,) for part in make()))[0]

    def folder(self, name: str, shard: str, made_of: Ingredients, make: Callable[[Path], None]) -> ArtifactRef:
        """A flat folder of files that are no tables; ``make`` writes them into the folder it is given."""
        started = time.perf_counter()
        wanted = ArtifactRef(name, shard, made_of.fingerprint, "", "", 0, 0)
        found, damaged = self._intact([wanted])
        if found:
            return replace(found[0], seconds=time.perf_counter() - started)
        with scratch() as folder:
            make(folder)
            files = {path.name: sha256(path) for path in sorted(folder.iterdir())}
            size = sum((folder / file).stat().st_size for file in files)
            for file in files:
                self._place.write(folder / file, f"{wanted.key}/{file}")
        ref = replace(wanted, sha256=_listing_hash(files), bytes=size)
        return replace(ref, record_md5=self._record(ref, made_of, files), repaired=damaged, seconds=time.perf_counter() - started)

    def builds(self, name: str, shard: str) -> Iterator[tuple[ArtifactRef, dict[str, Any]]]:
        """The tables of a shard, the one that was written last first, each with the facts of its record. Their bytes are not looked at."""
        records = [file for file in self.files(f"{name}/{shard}") if file.key.endswith(".json")]
        for file in sorted(records, key=lambda file: file.modified, reverse=True):
            fingerprint = file.key.rsplit("/", 1)[1].removesuffix(".json")
            try:
                yield self.recorded(ArtifactRef(name, shard, fingerprint, ".parquet", "", 0, 0))
            except StoreError:
                continue

    def recorded(self, ref: ArtifactRef) -> tuple[ArtifactRef, dict[str, Any]]:
        """The artifact of this address with what its record tells, and all the facts of the record. Raises ``StoreError``."""
        try:
            told = unseal(self._place.read(ref.record_key))
            return replace(ref, **_facts_of(told)), told
        except FileNotFoundError:
            raise _missing(ref) from None
        except (ValueError, KeyError, TypeError):
            raise _damaged(ref) from None

    def find(self, name: str, shard: str, fingerprint: str, suffix: str) -> ArtifactRef | None:
        """The artifact of this address if its record is there and its bytes are the recorded ones, else None."""
        try:
            return self._verified(ArtifactRef(name, shard, fingerprint, suffix, "", 0, 0))
        except DamagedArtifact:
            return None

    def has(self, name: str, shard: str, made_of: Ingredients) -> bool:
        """Whether the artifact has a record; its bytes are not looked at."""
        wanted = ArtifactRef(name, shard, made_of.fingerprint, ".parquet", "", 0, 0)
        try:
            return bool(self._known(wanted) or self._place.read(wanted.record_key))
        except FileNotFoundError:
            return False

    def scan(self, ref: ArtifactRef) -> Iterator[pa.Table]:
        """The parts of a table in the order they were written. Raises ``StoreError``."""
        with self._file(ref) as path:
            parquet = pq.ParquetFile(path)
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group)

    def read(self, ref: ArtifactRef, columns: list[str] | None = None, documents: Sequence[str] | None = None) -> pa.Table:
        """A whole table, or some of its columns, or the rows of some of its documents. Raises ``StoreError``."""
        wanted = None if documents is None else pc.field("document").isin(pa.array(documents, pa.string()))
        with self._file(ref) as path:
            return pq.read_table(path, columns=columns, filters=wanted, partitioning=None)

    @contextmanager
    def local(self, ref: ArtifactRef) -> Iterator[Path]:
        """A folder artifact as a local folder, for as long as the context lasts. Raises ``StoreError``."""
        if here := self._place.local(ref.key):
            self._check_folder(ref, here, self._names(ref))
            yield here
        else:
            with COPIES.folder(f"{self.root}/{ref.key}/{ref.sha256}", lambda folder: self._bring(ref, folder)) as copy:
                yield copy

    def _bring(self, ref: ArtifactRef, folder: Path) -> None:
        names = self._names(ref)
        for name in names:
            try:
                self._place.fetch(f"{ref.key}/{name}", folder / name)
            except FileNotFoundError:
                raise _missing(ref) from None
        self._check_folder(ref, folder, names)

    def _names(self, ref: ArtifactRef) -> list[str]:
        """The files of a folder artifact, as its record lists them."""
        try:
            return _files_of(unseal(self._place.read(ref.record_key)))
        except FileNotFoundError:
            raise _missing(ref) from None
        except (ValueError, KeyError, TypeError):
            raise _damaged(ref) from None

    def _check_folder(self, ref: ArtifactRef, folder: Path, names: list[str]) -> None:
        try:
            found = _listing_hash({name: sha256(folder / name) for name in names})
        except FileNotFoundError:
            raise _missing(ref) from None
        if found != ref.sha256:
            raise _damaged(ref)

    def write_record(self, key: str, value: dict[str, object]) -> str:
        """Publish a small JSON record under ``{root}/{key}``, replacing an older one. Its MD5."""
        with scratch() as folder:
            path = folder / "record.json"
            path.write_text(render(value), encoding="utf-8")
            self._place.write(path, key)
            return md5(path)

    def read_record(self, key: str) -> dict[str, object] | None:
        """A record, or None if there is none."""
        try:
            value: dict[str, object] = json.loads(self._place.read(key))
        except FileNotFoundError:
            return None
        return value

    def files(self, under: str = "") -> list[StoredFile]:
        """Every file below ``{root}/{under}``, artifacts and records alike."""
        return self._place.files(under)

    @property
    def lists_sums(self) -> bool:
        """Whether ``files`` may tell MD5 sums: a folder never does."""
        return self._place.local("") is None

    def remove(self, key: str) -> None:
        """Remove a file; one that is gone is no error."""
        self._place.remove(key)

    def touch(self, key: str) -> None:
        """Renew a file's modification time. Raises ``FileNotFoundError``."""
        self._place.touch(key)

    def _intact(self, wanted: Sequence[ArtifactRef]) -> tuple[list[ArtifactRef], bool]:
        """All the wanted artifacts if they are there and intact, else none; and whether something of them is damaged."""
        found, damaged = [], False
        for ref in wanted:
            try:
                found.append(self._verified(ref))
            except DamagedArtifact:
                damaged = True
        whole = [replace(ref, reused=True) for ref in found if ref is not None]
        return (whole, False) if len(whole) == len(wanted) else ([], damaged)

    def _verified(self, ref: ArtifactRef) -> ArtifactRef | None:
        """The artifact with what its record tells; None if it has no record. Raises ``DamagedArtifact``."""
        if known := self._known(ref):
            return known
        try:
            record = self._place.read(ref.record_key)
        except FileNotFoundError:
            return None
        try:
            told = unseal(record)
            files = {file: self._hash(f"{ref.key}/{file}") for file in _files_of(told)}
            found = _listing_hash(files) if files else self._hash(ref.key)
            known = replace(ref, record_md5=hashlib.md5(record, usedforsecurity=False).hexdigest(), **_facts_of(told))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(ref) from None
        if found != known.sha256:
            raise _damaged(ref)
        return known

    def _known(self, ref: ArtifactRef) -> ArtifactRef | None:
        return KNOWN.get(self.root, {}).get(ref.key)

    def _hash(self, key: str) -> str:
        with self._place.file(key) as path:
            return sha256(path)

    @contextmanager
    def _file(self, ref: ArtifactRef) -> Iterator[Path]:
        """A table as a local file whose bytes are the promised ones."""
        with ExitStack() as opened:
            try:
                path = opened.enter_context(self._place.file(ref.key))
                found = sha256(path)
            except FileNotFoundError:
                raise _missing(ref) from None
            if found != ref.sha256:
                raise _damaged(ref)
            yield path

    def _publish(self, path: Path, ref: ArtifactRef, made_of: Ingredients, facts: Mapping[str, object]) -> ArtifactRef:
        ref = replace(ref, sha256=sha256(path), md5=md5(path), bytes=path.stat().st_size)
        self._place.write(path, ref.key)
        return replace(ref, record_md5=self._record(ref, made_of, {}, facts))

    def _record(self, ref: ArtifactRef, made_of: Ingredients, files: dict[str, str], facts: Mapping[str, object] | None = None) -> str:
        own = {name: getattr(ref, name) for name in _FACTS}
        return self.write_record(ref.record_key, seal({**(facts or {}), **own, "files": files, "made_of": made_of.as_json()}))


def _missing(ref: ArtifactRef) -> StoreError:
    return StoreError(f"artifact {ref.key} is missing: run again to rebuild it")


def _damaged(ref: ArtifactRef) -> DamagedArtifact:
    return DamagedArtifact(f"artifact {ref.key} is damaged: run again to rebuild it")


def _facts_of(record: dict[str, Any]) -> dict[str, Any]:
    """What a record tells of the bytes; earlier ones do not tell how many."""
    return {name: record.get(name, 0) if name == "bytes" else record[name] for name in _FACTS}


def _files_of(record: dict[str, Any]) -> list[str]:
    """The files of a folder artifact, none of a table. Raises ``ValueError`` for names that no artifact of ours has."""
    names = list(record["files"])
    if any("/" in name or name in ("", ".", "..") for name in names):
        raise ValueError("a file of an artifact lies outside of it")
    return names


def _listing_hash(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode("utf-8")).hexdigest()
