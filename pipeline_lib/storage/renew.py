"""A shard built anew, document by document: rows of documents that are made of the same as in an earlier build are taken from there.

The bytes are those of a build from nothing: the same rows, in the same order, in the same row groups.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Contract
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

AT_ONCE = 16  # documents a row group
SLOWEST = 5  # documents that are named for the time they took

Rows = tuple[pa.Table, ...]  # a table a contract


@dataclass(frozen=True)
class Built:
    """The rows of some documents, one after the other, a table a contract; and the seconds that each took, where that was measured."""

    documents: Sequence[str]
    tables: Rows
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What there is to build in a shard.

    Attributes:
        hashes: of each document, in order, the hash of what its rows alone are made of.
        build: builds the rows of the documents it is given, in their order, some at a time.
    """

    hashes: Mapping[str, str]
    build: Callable[[Sequence[str]], Iterable[Built]]


def renewed_tables(
    store: Store, contracts: Sequence[Contract], shard: str, made_of: Ingredients, recipe: str, begin: Callable[[], Work]
) -> tuple[ArtifactRef, ...]:
    """The tables of a shard, of which only the documents are built that no earlier build of the shard has as they are now.

    Args:
        recipe: hash of all that decides the rows of every document alike: code, settings, model.
        begin: called if there is something to build.
    """
    hashes: Mapping[str, str] = {}
    seconds: dict[str, float] = {}

    def make() -> Iterator[Rows]:
        nonlocal hashes
        work = begin()
        hashes = work.hashes
        rows = _kept(store, contracts, shard, recipe, hashes)
        new = [document for document in hashes if document not in rows]
        fresh = _fresh(work.build(new), seconds) if new else iter(())
        order = list(hashes)
        for start in range(0, max(len(order), 1), AT_ONCE):
            part = [rows[document] if document in rows else next(fresh) for document in order[start : start + AT_ONCE]]
            yield _joined(contracts, part)

    refs = store.tables(contracts, shard, made_of, make, lambda: {"recipe": recipe, "of_documents": dict(hashes)})
    slowest = tuple(sorted(seconds.items(), key=lambda found: -found[1])[:SLOWEST])
    return replace(refs[0], slowest=slowest), *refs[1:]


def document_hashes(documents: Iterable[str], tables: Iterable[pa.Table]) -> dict[str, str]:
    """Of each of the documents, in order, the hash of its rows in all the tables. One release of polars alone gives the same."""
    hashers = {document: hashlib.sha256() for document in documents}
    for number, table in enumerate(tables):
        rows = pl.DataFrame(table).hash_rows().to_numpy()
        for document, start, length in _runs(table):
            if document in hashers:
                hashers[document].update(f"{number} {length} ".encode() + rows[start : start + length].tobytes())
    return {document: hasher.hexdigest()[:24] for document, hasher in hashers.items()}


def rows_by_document(table: pa.Table) -> dict[str, pa.Table]:
    """The rows of each document, which lie together."""
    return {document: table.slice(start, length) for document, start, length in _runs(table)}


def _runs(table: pa.Table) -> Iterator[tuple[str, int, int]]:
    """Of each document its first row and how many it has."""
    start = 0
    for document, group in groupby(table["document"].to_pylist()):
        length = sum(1 for _ in group)
        yield document, start, length
        start += length


def _kept(store: Store, contracts: Sequence[Contract], shard: str, recipe: str, hashes: Mapping[str, str]) -> dict[str, Rows]:
    """Rows of the documents that the latest earlier build by the recipe has as they are now; a damaged build has none."""
    for ref, facts in store.builds(contracts[0].name, shard):
        if facts.get("recipe") == recipe:
            same = [document for document, made in dict(facts["of_documents"]).items() if hashes.get(document) == made]
            try:
                tables = [store.read(ref), *(store.read(store.recorded(replace(ref, contract=other.name))[0]) for other in contracts[1:])]
            except StoreError:
                continue
            wanted = pa.array(same, pa.string())
            return _by_document(same, [table.filter(pc.is_in(table["document"], wanted)) for table in tables])
    return {}


def _fresh(built: Iterable[Built], seconds: dict[str, float]) -> Iterator[Rows]:
    """The rows of each document, as they are built."""
    for part in built:
        seconds.update(part.seconds)
        yield from _by_document(part.documents, part.tables).values()


def _by_document(documents: Iterable[str], tables: Sequence[pa.Table]) -> dict[str, Rows]:
    """The rows of each document in every table, none where it has none there."""
    found = [rows_by_document(table) for table in tables]
    return {
        document: tuple(rows.get(document, table.slice(0, 0)) for rows, table in zip(found, tables, strict=True)) for document in documents
    }


def _joined(contracts: Sequence[Contract], part: Sequence[Rows]) -> Rows:
    """One table a contract, in one piece: how rows were put together leaves no trace in a file."""
    columns = zip(*part, strict=True) if part else [()] * len(contracts)
    return tuple(
        pa.concat_tables([contract.table([]), *tables]).combine_chunks() for contract, tables in zip(contracts, columns, strict=True)
    )
