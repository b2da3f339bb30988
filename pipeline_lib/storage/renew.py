"""A shard built anew, document by document: rows of documents that are made of the same as in an earlier build are taken from there.

The bytes are those of a build from nothing: the same rows, in the same order, in the same row groups.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc

from data_contracts.contract import Contract
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import ArtifactRef, Store

AT_ONCE = 16  # documents a row group
SLOWEST = 5  # documents that are named for the time they took

Build = tuple[Mapping[str, str], Callable[[Sequence[str]], Iterable[pa.Table]]]


def renewed_table(
    store: Store, contract: Contract, shard: str, made_of: Ingredients, recipe: str, begin: Callable[[], Build]
) -> ArtifactRef:
    """One table of a shard, of which only the documents are built that no earlier build of the shard has as they are now.

    Args:
        recipe: hash of all that decides the rows of every document alike: code, settings, model.
        begin: called if there is something to build. Gives of each document, in order, the hash of what its rows alone are made of, and
            a function that builds the rows of the documents it is given: a table a document, in the same order.
    """
    hashes: Mapping[str, str] = {}
    seconds: dict[str, float] = {}

    def make() -> Iterator[pa.Table]:
        nonlocal hashes
        hashes, build = begin()
        kept = _kept(store, contract, shard, recipe, hashes)
        new = [document for document in hashes if document not in kept]
        tables = _timed(zip(new, build(new), strict=True), seconds)
        order = list(hashes)
        for start in range(0, max(len(order), 1), AT_ONCE):
            rows = [kept[document] if document in kept else next(tables) for document in order[start : start + AT_ONCE]]
            yield pa.concat_tables([contract.table([]), *rows]).combine_chunks()

    def facts() -> dict[str, object]:
        return {"recipe": recipe, "of_documents": dict(hashes)}

    ref = store.table(contract, shard, made_of, make, facts)
    return replace(ref, slowest=tuple(sorted(seconds.items(), key=lambda found: -found[1])[:SLOWEST]))


def document_hashes(documents: Iterable[str], tables: Iterable[pa.Table]) -> dict[str, str]:
    """Of each of the documents, in order, the hash of its rows in all the tables."""
    hashers = {document: hashlib.sha256() for document in documents}
    for number, table in enumerate(tables):
        for document, rows in rows_by_document(table):
            if document in hashers:
                hashers[document].update(json.dumps([number, rows.to_pylist()], sort_keys=True).encode())
    return {document: hasher.hexdigest()[:24] for document, hasher in hashers.items()}


def rows_by_document(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each document, which lie together."""
    start = 0
    for document, group in groupby(table["document"].to_pylist()):
        length = len(list(group))
        yield document, table.slice(start, length)
        start += length


def _kept(store: Store, contract: Contract, shard: str, recipe: str, hashes: Mapping[str, str]) -> dict[str, pa.Table]:
    """Rows of the documents that the latest earlier build by the recipe has as they are now; a damaged build has none."""
    for ref, facts in store.builds(contract.name, shard):
        if facts.get("recipe") == recipe:
            same = [document for document, made in dict(facts["of_documents"]).items() if hashes.get(document) == made]
            try:
                table = store.read(ref)
            except StoreError:
                continue
            kept = table.filter(pc.is_in(table["document"], pa.array(same, pa.string())))
            return {document: contract.table([]) for document in same} | dict(rows_by_document(kept))
    return {}


def _timed(tables: Iterator[tuple[str, pa.Table]], seconds: dict[str, float]) -> Iterator[pa.Table]:
    """Notes how long each document's table took."""
    started = perf_counter()
    for document, table in tables:
        seconds[document] = perf_counter() - started
        yield table
        started = perf_counter()
