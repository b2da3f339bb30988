"""Where a run works: its place on the store, its lease there, what is known of it beforehand, and who works on its shards."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.collection import tables_key
from flows.config import RunConfig
from flows.limits import occupy
from flows.runners import shards_on
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.recall import recalled_tables
from pipeline_lib.storage.store import Store


@contextmanager
def at_work(root: str, name: str, collection: str, config: RunConfig) -> Iterator[None]:
    """Within a flow, a run of a collection works on the store; ``name`` is what others there see of it. Raises ``StoreError``."""
    store = Store(root)
    with occupy(root), lease(store, name, "run"), recalled_tables(store, tables_key(collection)), shards_on(config):
        yield
