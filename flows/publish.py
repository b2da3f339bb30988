"""A run's student as a model folder for others: what its card tells is gathered from the records of the run, never from its texts."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts import SCORES
from flows.model import ModelError, read_run
from pipeline_lib.alignment.training import Epoch
from pipeline_lib.encoding.card import CARD, CURVE, CardData, Scored, provenance, render_card
from pipeline_lib.encoding.model_files import Origin
from pipeline_lib.encoding.training_plot import training_plot
from pipeline_lib.encoding.tuned import OURS
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.catalog import address_of, fingerprint_of
from pipeline_lib.storage.lineage import Lineage
from pipeline_lib.storage.place import sha256
from pipeline_lib.storage.records import render
from pipeline_lib.storage.store import Store
from pipeline_lib.storage.whole_folder import require_empty, whole_folder
from tasks.distill import LOG

PROVENANCE = "provenance.json"

# A training's inputs are fingerprints, which artifacts share that were made together or hold the same model: these are what it reads.
READ = ("documents/", "units/", "segment_pairs/", "transport_plans/", "encoders/start/")

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """What was written: whose student, and every file with its hash."""

    run: str
    model: str
    student: str
    files: dict[str, str]
    bytes: int


def publish(store: Store, run: str, out: Path, target: str | None = None) -> Published:
    """Write the student of ``run``, an id in the store or an output folder, with its card into ``out``, new or empty.

    ``target``: whose student, where gold made those of the languages differ. The same run gives the same bytes.

    Raises:
        ModelError: no such run, or its student is none that plain transformers read.
        FolderError: ``out`` holds something or cannot be written. StoreError: artifacts are missing or damaged.
    """
    require_empty(out)
    record = read_run(store, run)
    trained = record if record["model"] == record["run"] else read_run(store, record["model"])
    student = _student(record, target)
    with store.local(student) as folder:
        data = _card_data(store, record, trained, student, folder)
        card, curve = render_card(data), training_plot(data.log)
        with whole_folder(out) as draft:
            for path in sorted(folder.iterdir()):
                shutil.copyfile(path, draft / path.name)
            (draft / CARD).write_text(card, encoding="utf-8", newline="\n")
            (draft / CURVE).write_bytes(curve)
            (draft / PROVENANCE).write_text(render(provenance(data)), encoding="utf-8", newline="\n")
    files = {path.name: sha256(path) for path in sorted(out.iterdir())}
    return Published(record["run"], trained["run"], student.key, files, sum((out / name).stat().st_size for name in files))


def _student(record: Record, target: str | None) -> ArtifactRef:
    """The run's one student, or that of a language."""
    models = record["models"]
    if target is not None and target not in models:
        raise ModelError(f"run {record['run']} has no model into {target}; it has {', '.join(models)}")
    chosen = {model["student"]["fingerprint"]: model["student"] for lang, model in models.items() if target in (None, lang)}
    if len(chosen) > 1:
        raise ModelError(f"run {record['run']} has {len(chosen)} students: choose one with --target {' or '.join(models)}")
    (found,) = chosen.values()
    return ArtifactRef(**found)


def _card_data(store: Store, record: Record, trained: Record, student: ArtifactRef, folder: Path) -> CardData:
    shape = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if shape["model_type"] == OURS:
        raise ModelError(
            f"the student of run {record['run']} is that of fitted teachers, made of the run's own words, which plain transformers cannot "
            "read: only a run whose teachers are transformers can be published (spanferry run paper)"
        )
    made_of = Lineage(store, [student.key]).trace([student.fingerprint])[student.fingerprint]
    inputs = [address for address in map(address_of, trained["used"]) if fingerprint_of(address) in made_of.inputs]
    return CardData(
        run=trained["run"],
        spanferry=version("spanferry"),
        shape=shape,
        source=trained["source"],
        targets=trained["targets"],
        documents=trained["documents"],
        declared=len(trained["gold_train"]),
        student=student.key,
        manifest=_manifest(trained),
        made_of=made_of,
        inputs=[address for address in inputs if address.startswith(READ)],
        encoders={role: Origin(**found) for role, found in trained["encoders"].items()},
        config=trained["config"],
        log=[Epoch(**row) for row in json.loads((folder / LOG).read_text(encoding="utf-8"))],
        scored=_scored(store, record),
    )


def _scored(store: Store, record: Record) -> Scored | None:
    """What the run scores; None where it projected nothing, or had no gold."""
    tables = [_read_scores(store, address_of(key)) for key in record["artifacts"] if key.startswith(f"{SCORES.name}/")]
    rows = pa.concat_tables(tables) if tables else SCORES.table([])
    return Scored(record["run"], record["config"]["aligner"], _manifest(record), rows) if rows.num_rows else None


def _read_scores(store: Store, address: str) -> pa.Table:
    shard = address.split("/", 1)[1].rsplit("/", 1)[0]
    found = store.find(SCORES.name, shard, fingerprint_of(address), ".parquet")
    if found is None:
        raise ModelError(f"artifact {address} is missing or damaged: run again to rebuild it")
    return store.read(found)


def _manifest(record: Record) -> str:
    """Fingerprint of the list of the corpus's files."""
    return next(fingerprint_of(address_of(key)) for key in record["artifacts"] if key.startswith("corpus_files/"))
