"""A shard built anew, document by document: rows of documents that are made of the same as in an earlier build are taken from there.

The bytes are those of a build from nothing: the same rows, in the same order, in the same row groups.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients, digest
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

AT_ONCE = 128  # documents a row group: what a check and a write of one cost does not depend on its rows
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
        kept = _kept(store, contracts, shard, recipe, hashes)
        new = [document for document in hashes if document not in kept.documents]
        fresh = _fresh(contracts, work.build(new), seconds) if new else iter(())
        order = list(hashes)
        for start in range(0, max(len(order), 1), AT_ONCE):
            runs = groupby(order[start : start + AT_ONCE], kept.documents.__contains__)
            parts = [[kept.of(list(some))] if known else [next(fresh) for _ in some] for known, some in runs]
            yield _joined(contracts, [rows for part in parts for rows in part])

    # Kept rows were checked when they were built, by the same contract, and are verified by their hash since.
    refs = store.tables(contracts, shard, made_of, make, lambda: {"recipe": recipe, "of_documents": dict(hashes)}, checked=True)
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


def hashes_of(store: Store, ref: ArtifactRef, *others: ArtifactRef) -> dict[str, str]:
    """Of each document of a table a hash that changes with its rows: of what they are made of if it was renewed, else of themselves.

    ``others``: the tables that were built with it, whose rows it speaks of too. Raises ``StoreError``.
    """
    _, told = store.recorded(ref)
    if "of_documents" not in told:
        tables = [store.read(each) for each in (ref, *others)]
        return document_hashes(dict.fromkeys(name for table in tables for name in table["document"].to_pylist()), tables)
    return {document: f"{told['recipe']} {made}" for document, made in dict(told["of_documents"]).items()}


def joint_hashes(documents: Iterable[str], parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One hash of each of the documents, in order, made of those that it has in the parts."""
    return {document: digest("\n".join(part.get(document, "") for part in parts)) for document in documents}


def unchanged_documents(
    store: Store, documents: Sequence[str], tables: Sequence[Sequence[ArtifactRef]], earlier: Sequence[str]
) -> set[str]:
    """The documents whose rows are those of the tables of ``earlier`` fingerprints, as far as the store can still tell.

    Args:
        tables: those that were built together together; earlier: one fingerprint a table, in their order.
    """
    fingerprints = iter(earlier)
    try:
        then = [[store.recorded(replace(ref, fingerprint=next(fingerprints, "")))[0] for ref in built] for built in tables]
        before, now = (joint_hashes(documents, [hashes_of(store, *built) for built in groups]) for groups in (then, tables))
    except StoreError:
        return set()
    return {document for document in documents if before[document] == now[document]}


@dataclass(frozen=True)
class _Tables:
    """Tables of some documents, in each of which the rows of a document lie together."""

    documents: Collection[str]
    tables: Rows

    @cached_property
    def _places(self) -> list[dict[str, tuple[int, int]]]:
        return [{document: (start, length) for document, start, length in _runs(table)} for table in self.tables]

    def of(self, documents: Sequence[str]) -> Rows:
        """The rows of these documents; those that lie one after the other are taken in one piece."""
        return tuple(_taken(table, places, documents) for table, places in zip(self.tables, self._places, strict=True))


def _taken(table: pa.Table, places: Mapping[str, tuple[int, int]], documents: Sequence[str]) -> pa.Table:
    pieces: list[tuple[int, int]] = []
    for start, length in (places[document] for document in documents if document in places):
        if pieces and sum(pieces[-1]) == start:
            start, length = pieces[-1][0], pieces.pop()[1] + length
        pieces.append((start, length))
    return pa.concat_tables([table.slice(0, 0), *(table.slice(*piece) for piece in pieces)])


def _runs(table: pa.Table) -> Iterator[tuple[str, int, int]]:
    """Of each document its first row and how many it has."""
    start = 0
    for document, group in groupby(table["document"].to_pylist()):
        length = sum(1 for _ in group)
        yield document, start, length
        start += length


def _kept(store: Store, contracts: Sequence[Contract], shard: str, recipe: str, hashes: Mapping[str, str]) -> _Tables:
    """What the latest earlier build by the recipe has of the documents as they are now; a damaged build has nothing."""
    for ref, facts in store.builds(contracts[0].name, shard):
        if facts.get("recipe") == recipe:
            same = {document for document, made in dict(facts["of_documents"]).items() if hashes.get(document) == made}
            try:
                tables = [store.read(ref), *(store.read(store.recorded(replace(ref, contract=other.name))[0]) for other in contracts[1:])]
            except StoreError:
                continue
            return _Tables(same, tuple(tables))
    return _Tables((), ())


def _fresh(contracts: Sequence[Contract], built: Iterable[Built], seconds: dict[str, float]) -> Iterator[Rows]:
    """The rows of each document, as they are built and checked."""
    for part in built:
        for contract, table in zip(contracts, part.tables, strict=True):
            contract.check(table)
        seconds.update(part.seconds)
        rows = _Tables(part.documents, part.tables)
        yield from (rows.of([document]) for document in part.documents)


def _joined(contracts: Sequence[Contract], part: Sequence[Rows]) -> Rows:
    """One table a contract, in one piece: how rows were put together leaves no trace in a file."""
    columns = zip(*part, strict=True) if part else [()] * len(contracts)
    return tuple(
        pa.concat_tables([contract.table([]), *tables]).combine_chunks() for contract, tables in zip(contracts, columns, strict=True)
    )
