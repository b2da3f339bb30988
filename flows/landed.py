"""Have new translations landed? A scan that is cheap to schedule often, and a run only where the corpus has changed."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.collection import LastRun, last_run
from flows.config import RunConfig
from flows.events import tell_changed
from flows.model import ModelError, read_run
from flows.pipeline import pipeline, run_name
from flows.refit import collection
from pipeline_lib.storage.store import Store
from tasks.scan import Scanned, scan


@flow(name="spanferry-landed", flow_run_name=run_name, persist_result=False)
def landed(
    config: RunConfig, corpus: str, source: str, targets: list[str], store: str, out: str, support: str | None = None
) -> State[None]:
    """Compare the corpus with what the collection's last run read, and run the pipeline if any text, annotation or name is another.

    Gold of the targets is not compared: it changes no projection.
    """
    name = collection(corpus, source, targets, config)
    last = last_run(Store(store), name)
    if last is not None and _manifest(config, corpus, source, targets, store, last) == last.manifest:
        return Completed(name="Unchanged", message=f"nothing has changed since {last.run}")
    tell_changed(name, last)
    counts = pipeline(config, corpus, source, targets, store, out, support=support)
    return Completed(message=f"{counts.documents} documents, {sum(counts.projected.values())} mentions projected")


def _manifest(config: RunConfig, corpus: str, source: str, targets: list[str], store: str, last: LastRun) -> str:
    """Fingerprint of the corpus's files as the last run would have listed them; empty if nothing is left that says how it did."""
    try:
        record = read_run(Store(store), last.run)
    except ModelError:
        return ""
    found: Scanned = scan(
        store, corpus, source, targets, config.corpus, config.shards, record["shards"], None, tuple(record.get("gold_train", ()))
    )
    return found.files.fingerprint
