"""Where a run works: its place on the store, its lease there, what is known of it beforehand, and who works on its shards."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.collection import last_run, tables_key
from flows.config import RunConfig
from flows.limits import occupy
from flows.runners import hire, shards_on
from flows.watch import Watch
from pipeline_lib.progress.logbook import logbook
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.recall import recalled_tables
from pipeline_lib.storage.store import Store


@contextmanager
def at_work(root: str, name: str, collection: str, config: RunConfig, watch: Watch | None = None, out: str | None = None) -> Iterator[None]:
    """Within a flow, a run of a collection works on the store; ``name`` and what its watch tells is what others there see of it.

    Where the collection's last run was large, processes start before this one has scanned.

    Raises ``StoreError``.
    """
    store, watch = Store(root), watch or Watch()
    with (
        occupy(root),
        lease(store, name, "run") as held,
        logbook(store, held.id, name, out, watch.so_far) as watch.book,
        recalled_tables(store, tables_key(collection)),
        shards_on(config),
    ):
        if last := last_run(store, collection):
            hire(config, last.documents * len(last.targets))
        yield
