"""The model of a run: all that was learnt from a whole corpus, per language pair; and how a later run finds it again."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from pipeline_lib.storage.artifact import ArtifactRef, ref_as_json
from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.store import Store
from tasks.consistency import Counted


class ModelError(ValueError):
    """A pinned model that does not exist, does not fit the run, or whose artifacts are gone."""


@dataclass(frozen=True)
class PairModel:
    """What one language pair has learnt: fitted teachers, edge statistics, student, what the corpus says of the candidates, and what
    declared gold says of them, where a run had some.
    """

    teachers: ArtifactRef
    edges: ArtifactRef
    student: ArtifactRef
    corpus_edges: ArtifactRef
    memory: ArtifactRef
    reranker: ArtifactRef | None = None

    @property
    def counted(self) -> Counted:
        return Counted(self.corpus_edges, self.memory)


@dataclass(frozen=True)
class Model:
    """The models by target language, the run that fitted them, the number of shards its collection was cut into, the documents whose
    gold it was learnt from, and how many documents the run had that was asked for its model.
    """

    run: str
    shards: int
    pairs: dict[str, PairModel]
    trained: tuple[str, ...] = ()
    documents: int = 0

    @property
    def teachers(self) -> dict[str, ArtifactRef]:
        return {lang: pair.teachers for lang, pair in self.pairs.items()}

    @property
    def edges(self) -> dict[str, ArtifactRef]:
        return {lang: pair.edges for lang, pair in self.pairs.items()}

    @property
    def students(self) -> dict[str, ArtifactRef]:
        return {lang: pair.student for lang, pair in self.pairs.items()}

    @property
    def counted(self) -> dict[str, Counted]:
        return {lang: pair.counted for lang, pair in self.pairs.items()}

    @property
    def rerankers(self) -> dict[str, ArtifactRef | None]:
        return {lang: pair.reranker for lang, pair in self.pairs.items()}


def pair_models(
    teachers: dict[str, ArtifactRef],
    edges: dict[str, ArtifactRef],
    students: dict[str, ArtifactRef],
    counted: dict[str, Counted],
    rerankers: Mapping[str, ArtifactRef | None] | None = None,
) -> dict[str, PairModel]:
    """The parts of the model put together, by target language."""
    learnt = rerankers or {}
    return {
        lang: PairModel(teachers[lang], edges[lang], students[lang], counted[lang].edges, counted[lang].memory, learnt.get(lang))
        for lang in teachers
    }


def load_model(store: Store, run: str, source: str, targets: list[str]) -> Model:
    """The model of an earlier run, given by its id or by its output folder. Raises ``ModelError``."""
    record = read_run(store, run)
    if record["source"] != source:
        raise ModelError(f"the model of run {record['run']} carries from {record['source']}, not from {source}")
    missing = [lang for lang in targets if lang not in record["models"]]
    if missing:
        raise ModelError(f"the model of run {record['run']} has no {', '.join(missing)}; it has {', '.join(record['models'])}")
    trained = tuple(record.get("gold_train", ()))
    pairs = {lang: _pair(store, record["models"][lang]) for lang in targets}
    return Model(record["model"], record["shards"], pairs, trained, record.get("documents", 0))


def run_id(artifacts: list[str], config: str, model: str | None) -> str:
    """The run's name: the same inputs, config and code give the same one."""
    return "run-" + digest(json.dumps([artifacts, config, model]))[:12]


def model_record(pairs: dict[str, PairModel]) -> dict[str, object]:
    """What ``load_model`` needs of each pair."""
    return {lang: {name: ref_as_json(ref) for name, ref in vars(pair).items() if ref is not None} for lang, pair in pairs.items()}


def read_run(store: Store, run: str) -> dict[str, Any]:
    """The record of a run, given by its id or by its output folder. Raises ``ModelError``."""
    file = Path(run) / "run.json"
    if file.is_file():
        return _our_record(file)
    record = store.read_record(f"runs/{run}.json") if run.replace("-", "").isalnum() else None
    if record is None:
        raise ModelError(f"no run {run}: give a run's id in this store or its output folder")
    return record


def _our_record(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"run", "model", "models", "shards", "source"} <= found.keys():
        raise ModelError(f"{file} is not the record of a run")
    return found


def _pair(store: Store, record: dict[str, dict[str, Any]]) -> PairModel:
    parts = fields(PairModel)
    missing = [part.name for part in parts if part.name not in record and part.default is MISSING]
    if missing:
        raise ModelError(f"the model was made by an earlier release and has no {', '.join(missing)}: run without --model")
    return PairModel(**{part.name: _intact(store, record[part.name]) for part in parts if part.name in record})


def _intact(store: Store, record: dict[str, Any]) -> ArtifactRef:
    found = store.find(record["contract"], record["shard"], record["fingerprint"], record["suffix"])
    if found is None:
        name = f"{record['contract']}/{record['shard']}/{record['fingerprint']}"
        raise ModelError(f"artifact {name} of the model is missing or damaged: run without --model")
    return found
