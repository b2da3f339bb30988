"""A collection is a corpus that is run again and again; the store remembers how its last run went."""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
from pydantic import BaseModel

from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.store import Store

Numbers = dict[str, dict[str, int]]  # by stage and code, or by language and reason

_LOG = logging.getLogger(__name__)
_PLAIN_NAME = re.compile(r"[\w-][\w.-]{0,63}", re.ASCII)


class F1(BaseModel, frozen=True):
    """Of one label in one language; four decimals."""

    strict: float
    char: float


class LastRun(BaseModel, frozen=True):
    """How a run of a collection went: ids, counts and scores, for the next one to compare itself with.

    Attributes:
        manifest: fingerprint of the corpus's files, another one as soon as a file of it changes.
        corpus: name of its folder, None where that is no plain name.
        documents, mentions: of the source; shards: that it was cut into, 0 in records of earlier releases.
        rejects: by stage and code; abstentions: mentions left out, by target language and reason.
        scores: by target language and label, ``*`` pools all labels; no language without gold.
    """

    run: str
    model: str
    manifest: str
    corpus: str | None
    source: str
    targets: tuple[str, ...]
    profile: str
    documents: int
    mentions: int
    shards: int = 0
    rejects: Numbers
    abstentions: Numbers
    scores: dict[str, dict[str, F1]]


def collection_id(corpus: str, source: str, targets: Sequence[str], profile: str) -> str:
    """Names the collection: the corpus folder by its place, the languages as the corpus spells them in any order, the profile.

    A digest, so that a folder's name never becomes a key of the store.
    """
    return digest("\n".join([os.path.abspath(corpus), source, *sorted(set(targets)), profile]))[:12]


def last_run(store: Store, collection: str) -> LastRun | None:
    """The last run of a collection; None if there was none, or, with a warning, if its record is damaged: the next run writes it anew."""
    try:
        record = store.read_record(_key(collection))
        return None if record is None else LastRun.model_validate(record)
    except ValueError:
        _LOG.warning("%s is not the record of a run: as if there had been none", _key(collection))
        return None


def remember(store: Store, collection: str, run: LastRun) -> None:
    """The collection's last run is now this one."""
    store.write_record(_key(collection), run.model_dump(mode="json"))


def tables_key(collection: str) -> str:
    """Where the store keeps which tables the collection's last run used."""
    return f"collections/{collection}-tables.json"


def plain_name(corpus: str) -> str | None:
    """Name of the corpus folder, unless it says more than a name does."""
    name = Path(corpus).name
    return name if _PLAIN_NAME.fullmatch(name) else None


def nested(counts: Mapping[tuple[str, str], int]) -> Numbers:
    """Counts by two keys as JSON has them, one within the other."""
    numbers: Numbers = {}
    for (outer, inner), number in counts.items():
        numbers.setdefault(outer, {})[inner] = number
    return numbers


def f1_scores(scores: pa.Table) -> dict[str, dict[str, F1]]:
    """The two F1 of every language and label of SCORES."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in pl.DataFrame(scores).select("target_lang", "label", "metric", "f1").to_dicts():
        found.setdefault(row["target_lang"], {}).setdefault(row["label"], {})[row["metric"]] = round(row["f1"], 4)
    return {lang: {label: F1.model_validate(metrics) for label, metrics in labels.items()} for lang, labels in found.items()}


def _key(collection: str) -> str:
    return f"collections/{collection}.json"
