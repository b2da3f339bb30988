"""A store that holds what two runs have left of their students, one a transformer, one of fitted teachers, without the work of a run."""

import json
from dataclasses import asdict
from pathlib import Path

from data_contracts.evaluation import ALL_LABELS, SCORES
from flows.config import load_config
from pipeline_lib.alignment.segments import SegmentConfig
from pipeline_lib.alignment.training import Epoch
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig
from pipeline_lib.encoding.model_files import ModelSource, read_origin
from pipeline_lib.encoding.tuned import OURS
from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.distill import LOG
from tasks.encoders import take_encoder
from tasks.ingest import ingest_shard
from tasks.scan import scan
from tasks.segments import align_segments
from tasks.stage import fingerprints
from tasks.texts import Texts
from tasks.units import make_units
from tests.encoders import save_encoder
from tests.flows.tiny import small_corpus

PAPER, FITTED, PINNED = "run-aaaaaaaaaaaa", "run-bbbbbbbbbbbb", "run-cccccccccccc"
DOCUMENTS = 3
EPOCHS = (Epoch(0, 0, None, 1.5, 0.0, True), Epoch(1, 20, 1.25, 1.125, 1e-5, True), Epoch(2, 40, 0.75, 1.25, 0.0, False))


def make_students(root: Path) -> Store:
    """A store below ``root`` with the records of a paper run, an embedded one, and one that projects with the first one's model."""
    store, encoder = Store(str(root / "store")), save_encoder(root / "encoders" / "tiny", knows=True, width=64)
    corpus = str(small_corpus(root / "corpus", count=DOCUMENTS))
    found = scan.fn(store.root, corpus, "es", ["en"], CorpusConfig(), ShardConfig(), None)
    rows = {lang: ingest_shard.fn(store.root, corpus, found, lang, 0, CorpusConfig()) for lang in ("es", "en")}
    texts = {lang: Texts(row.documents, make_units.fn(store.root, row.documents)) for lang, row in rows.items()}
    segments = align_segments.fn(store.root, "es-en/0000-of-0001", texts["es"], texts["en"], SegmentConfig())
    start = take_encoder.fn(store.root, "start", ModelSource(model=str(encoder)), "tune.start")
    inputs = [ref for text in texts.values() for ref in (text.documents, text.units)] + [segments, start]
    scores, unused = save_scores(store, 0.75), take_encoder.fn(store.root, "phrase", ModelSource(model=str(encoder)), "teachers.phrase")
    with store.local(start) as folder:
        origin = vars(read_origin(folder))
    paper = {
        "run": PAPER,
        "model": PAPER,
        "source": "es",
        "targets": ["en"],
        "shards": 1,
        "config": load_config("paper", [f"teachers.{role}.model={encoder}" for role in ("sentence", "phrase", "token")]).deciding(),
        "models": {"en": {"student": ref_as_json(save_student(store, encoder, inputs))}},
        "gold_train": [],
        "artifacts": [found.files.key, scores.key],
        "documents": DOCUMENTS,
        "encoders": dict.fromkeys(("phrase", "sentence", "start", "token"), origin),
        "used": [ref.key for ref in (*inputs, unused, rows["es"].mentions, found.files, scores)],
    }
    pinned = {**paper, "run": PINNED, "artifacts": [found.files.key, save_scores(store, 0.5).key], "encoders": {}, "used": []}
    fitted = {**paper, "run": FITTED, "model": FITTED, "models": {"en": {"student": ref_as_json(save_fitted(store))}}, "encoders": {}}
    for record in (paper, pinned, fitted):
        store.write_record(f"runs/{record['run']}.json", record)
    return store


def save_student(store: Store, encoder: Path, inputs: list[ArtifactRef]) -> ArtifactRef:
    """The untrained encoder, with a log as if it had been trained."""

    def make(folder: Path) -> None:
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_bytes((encoder / name).read_bytes())
        (folder / LOG).write_text(json.dumps([asdict(epoch) for epoch in EPOCHS]), encoding="utf-8")

    return store.folder("student", "es-en", ingredients("student@2", "pipeline_lib.encoding.tuned", None, fingerprints(inputs)), make)


def save_fitted(store: Store) -> ArtifactRef:
    """A student of fitted teachers, as far as it is looked at."""

    def make(folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps({"model_type": OURS}), encoding="utf-8")

    return store.folder("student", "es-en", ingredients("student@2", "pipeline_lib.alignment.distill", None, []), make)


def save_scores(store: Store, f1: float) -> ArtifactRef:
    """SCORES into English: all labels at ``f1`` in strict, an eighth better in char, and one label at 1."""
    counts = {"gold": 40, "predicted": 40, "documents": DOCUMENTS}
    rows = [
        {"target_lang": "en", "label": label, "metric": metric, "matched": 30 if metric == "strict" else None, **counts}
        | {rate: value for rate in ("precision", "recall", "f1", "low", "high")}
        for label in (ALL_LABELS, "DISEASE")
        for metric in ("strict", "char")
        for value in [1.0 if label != ALL_LABELS else f1 + (0.125 if metric == "char" else 0.0)]
    ]
    made_of = ingredients(SCORES.id, "pipeline_lib.evaluation.scorer", None, [str(f1)])
    return store.table(SCORES, "es-en", made_of, lambda: [SCORES.table(rows)])
