"""Which model a run uses: the one it was given, the collection's, or one that it fits itself. The rule is the setting ``refit``."""

from collections.abc import Sequence
from pathlib import Path

from prefect.logging import get_run_logger

from flows.collection import collection_id, last_run
from flows.config import RunConfig
from flows.model import Model, ModelError, load_model
from pipeline_lib.corpus.layouts import resolve_languages
from pipeline_lib.storage.store import Store


def choose_model(
    store: str, corpus: str, source: str, targets: Sequence[str], config: RunConfig, model: str | None, gold_train: str | None
) -> Model | None:
    """The model to use as it is; None where the run has to fit one.

    Raises:
        ModelError: the model that was asked for does not exist, does not fit the run, or is damaged.
    """
    if model is not None and gold_train is not None:
        raise ModelError("the model of --model is used as it is and learns nothing: leave out --model or --gold-train")
    own, *others = _languages(corpus, source, targets, config)
    if model is not None:
        return load_model(Store(store), model, own, others)
    if config.refit == "always" or gold_train is not None:
        return None
    fitted = latest_model(store, collection(corpus, source, targets, config))
    try:
        return load_model(Store(store), fitted, own, others) if fitted else None
    except ModelError as error:
        get_run_logger().warning("the collection's model cannot be used, so a new one is fitted: %s", error)
        return None


def fixed_model(store: str, corpus: str, source: str, targets: Sequence[str], config: RunConfig, model: str | None) -> Model:
    """The model to project with: the given run's, else the collection's last. Raises ``ModelError`` where there is none."""
    own, *others = _languages(corpus, source, targets, config)
    fixed = model or latest_model(store, collection(corpus, source, targets, config))
    if fixed is None:
        raise ModelError("the collection has no model yet: train one, or name a run that has")
    return load_model(Store(store), fixed, own, others)


def chosen_shards(store: str, collection: str, pinned: Model) -> int | None:
    """How many shards the collection was cut into before: by its own last run, or by the one that fitted its model."""
    last = last_run(Store(store), collection)
    if last is not None and last.shards:
        return last.shards
    return pinned.shards if latest_model(store, collection) == pinned.run else None


def outgrown(refit: str, fitted_on: int, documents: int) -> bool:
    """Whether a collection has so many more documents than its model saw that ``grown:N%`` asks for another."""
    if not refit.startswith("grown:"):
        return False
    return documents > fitted_on * (1 + int(refit.removeprefix("grown:").removesuffix("%")) / 100)


def collection(corpus: str, source: str, targets: Sequence[str], config: RunConfig) -> str:
    """The id of the collection that a run is of."""
    own, *others = _languages(corpus, source, targets, config)
    return collection_id(corpus, own, others, config.profile)


def latest_model(store: str, collection: str) -> str | None:
    """The run that fitted the collection's model; None if there was none, or its record is damaged: the next fit writes it anew."""
    try:
        record = Store(store).read_record(_key(collection))
    except ValueError:
        return None
    run = record.get("run") if isinstance(record, dict) else None
    return run if isinstance(run, str) else None


def remember_model(store: str, collection: str, run: str) -> None:
    """The collection's model is now the one that this run fitted."""
    Store(store).write_record(_key(collection), {"run": run})


def _languages(corpus: str, source: str, targets: Sequence[str], config: RunConfig) -> list[str]:
    """As the corpus spells them."""
    return resolve_languages(Path(corpus), [source, *targets], config.corpus)


def _key(collection: str) -> str:
    return f"collections/{collection}-model.json"
