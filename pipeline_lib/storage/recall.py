"""What the last run of a collection used, and that the store still holds those very bytes: told by a listing, not by looking at each.

To look a table up takes two requests and moves all of it, which is most of the work of a run that finds everything built. A bucket lists
the MD5 of every object that was written in one piece, a thousand a request, and the last run knows what they should be. What is not listed
so (other bytes, other sums, a folder's files) is looked up like anything else, and whatever is read is hashed as ever.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import TypeAdapter

from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json
from pipeline_lib.storage.store import KNOWN, Store

_REFS = TypeAdapter(list[ArtifactRef])


def remember_tables(store: Store, key: str, refs: Iterable[ArtifactRef]) -> None:
    """Keep for a later run, in the record ``key``, which tables this one used."""
    tables = sorted((ref for ref in refs if ref.md5 and ref.record_md5), key=lambda ref: ref.key)
    store.write_record(key, {"tables": [ref_as_json(ref) for ref in tables]})


@contextmanager
def recalled_tables(store: Store, key: str) -> Iterator[None]:
    """While the context lasts, this process knows of the remembered tables that are listed as they were. Raises ``StoreError``.

    Nobody may remove artifacts meanwhile: the run holds its lease already.
    """
    before = KNOWN.get(store.root, {})
    KNOWN[store.root] = _listed_as_remembered(store, key)
    try:
        yield
    finally:
        KNOWN[store.root] = before


def _listed_as_remembered(store: Store, key: str) -> dict[str, ArtifactRef]:
    refs = _remembered(store, key) if store.lists_sums else []
    listed = {file.key: file.md5 for contract in sorted({ref.contract for ref in refs}) for file in store.files(contract)}
    return {ref.key: ref for ref in refs if (listed.get(ref.key), listed.get(ref.record_key)) == (ref.md5, ref.record_md5)}


def _remembered(store: Store, key: str) -> list[ArtifactRef]:
    """The tables of the record; none if it is missing or damaged."""
    try:
        record = store.read_record(key)
        return [ref for ref in _REFS.validate_python(record["tables"]) if ref.md5 and ref.record_md5] if record else []
    except (ValueError, KeyError, TypeError):
        return []
