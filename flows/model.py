"""The model of a run: all that was learnt from a whole corpus, per language pair; and how a later run finds it again."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline_lib.storage.fingerprint import digest
from pipeline_lib.storage.store import ArtifactRef, Store, ref_as_json
from tasks.consistency import Counted


class ModelError(ValueError):
    """A pinned model that does not exist, does not fit the run, or whose artifacts are gone."""


@dataclass(frozen=True)
class PairModel:
    """What one language pair has learnt: fitted teachers, edge statistics, student, and what the corpus says of the candidates."""

    teachers: ArtifactRef
    edges: ArtifactRef
    student: ArtifactRef
    corpus_edges: ArtifactRef
    memory: ArtifactRef

    @property
    def counted(self) -> Counted:
        return Counted(self.corpus_edges, self.memory)


@dataclass(frozen=True)
class Model:
    """The models by target language, the run that fitted them, and the number of shards its collection was cut into."""

    run: str
    shards: int
    pairs: dict[str, PairModel]

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


def pair_models(
    teachers: dict[str, ArtifactRef], edges: dict[str, ArtifactRef], students: dict[str, ArtifactRef], counted: dict[str, Counted]
) -> dict[str, PairModel]:
    """The parts of the model put together, by target language."""
    return {lang: PairModel(teachers[lang], edges[lang], students[lang], counted[lang].edges, counted[lang].memory) for lang in teachers}


def load_model(store: Store, run: str, source: str, targets: list[str]) -> Model:
    """The model of an earlier run, given by its id or by its output folder. Raises ``ModelError``."""
    record = _read_run(store, run)
    if record["source"] != source:
        raise ModelError(f"the model of run {record['run']} carries from {record['source']}, not from {source}")
    missing = [lang for lang in targets if lang not in record["models"]]
    if missing:
        raise ModelError(f"the model of run {record['run']} has no {', '.join(missing)}; it has {', '.join(record['models'])}")
    return Model(record["model"], record["shards"], {lang: _pair(store, record["models"][lang]) for lang in targets})


def run_id(artifacts: list[str], config: str, model: str | None) -> str:
    """The run's name: the same inputs, config and code give the same one."""
    return "run-" + digest(json.dumps([artifacts, config, model]))[:12]


def model_record(pairs: dict[str, PairModel]) -> dict[str, object]:
    """What ``load_model`` needs of each pair."""
    return {lang: {field.name: ref_as_json(getattr(pair, field.name)) for field in fields(PairModel)} for lang, pair in pairs.items()}


def _read_run(store: Store, run: str) -> dict[str, Any]:
    file = Path(run) / "run.json"
    if file.is_file():
        return _our_record(file)
    record = store.read_record(f"runs/{run}.json") if run.replace("-", "").isalnum() else None
    if record is None:
        raise ModelError(f"no run {run}: --model takes a run's id in this store or its output folder")
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
    names = [field.name for field in fields(PairModel)]
    missing = [name for name in names if name not in record]
    if missing:
        raise ModelError(f"the model was made by an earlier release and has no {', '.join(missing)}: run without --model")
    return PairModel(*(_intact(store, record[name]) for name in names))


def _intact(store: Store, record: dict[str, Any]) -> ArtifactRef:
    found = store.find(record["contract"], record["shard"], record["fingerprint"], record["suffix"])
    if found is None:
        name = f"{record['contract']}/{record['shard']}/{record['fingerprint']}"
        raise ModelError(f"artifact {name} of the model is missing or damaged: run without --model")
    return found
