"""The transformers of a run: taken into the store, and every text encoded once by each, whatever it is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.remote import ENCODE, Encoding, run_stage
from flows.watch import Watch
from pipeline_lib.encoding.model_files import ModelSource, read_origin
from pipeline_lib.encoding.views import Role
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import Store
from tasks.align import align_encoded
from tasks.encoders import take_encoder
from tasks.quantise import quantise
from tasks.views import see

Key = TypeVar("Key", bound=str)


@dataclass(frozen=True)
class Taken:
    """An encoder in the store, and what of it is taken."""

    files: ArtifactRef
    source: ModelSource


def take_tokenizer(store: str, config: RunConfig, watch: Watch) -> ArtifactRef | None:
    """The tokenizer whose pieces are the run's units; None where they are words."""
    if config.units.grid == "words":
        return None
    source, setting = config.tokenizer
    taken: dict[int, ArtifactRef] = watch.stage("tokenizer", {0: take_encoder.submit(store, "tokenizer", source, setting, False)})
    return taken[0]


def take_teachers(store: str, config: RunConfig, watch: Watch) -> dict[Role, Taken]:
    """The teachers of those views that count."""
    sources: dict[Role, ModelSource] = {role: getattr(config.teachers, role) for role in config.views.weights}
    files = watch.stage(
        "teachers", {role: take_encoder.submit(store, role, source, f"teachers.{role}") for role, source in sources.items()}
    )
    return _ready(store, {role: Taken(files[role], sources[role]) for role in sources}, config, watch)


def take_start(store: str, config: RunConfig, watch: Watch) -> ArtifactRef:
    """The encoder that the student starts from."""
    source, setting = config.start
    taken: dict[int, ArtifactRef] = watch.stage("start", {0: take_encoder.submit(store, "start", source, setting)})
    return taken[0]


def see_texts(store: str, corpus: Corpus, segments: dict[Cell, ArtifactRef], config: RunConfig, watch: Watch) -> dict[Cell, ArtifactRef]:
    """The costs by the transformer teachers. The source is encoded once, however many languages it is compared with."""
    teachers = take_teachers(store, config, watch)
    langs = [corpus.source, *corpus.targets]
    calls = {
        (role, lang, shard): Encoding(corpus.texts[lang, shard], taken.files, taken.source, config.encode)
        for role, taken in teachers.items()
        for lang in langs
        for shard in corpus.shards
    }
    encoded = run_stage(ENCODE, "encode", store, calls, config, watch)

    def views(lang: str, shard: int) -> dict[Role, ArtifactRef]:
        return {role: encoded[role, lang, shard] for role in teachers}

    return watch.stage(
        "views",
        {
            (lang, shard): see.submit(
                store,
                corpus.pair_shard((lang, shard)),
                views(corpus.source, shard),
                views(lang, shard),
                segments[lang, shard],
                config.views,
            )
            for lang, shard in corpus.cells
        },
    )


def align_by_student(
    store: str, corpus: Corpus, students: Mapping[str, ArtifactRef], segments: dict[Cell, ArtifactRef], config: RunConfig, watch: Watch
) -> dict[Cell, ArtifactRef]:
    """Every text encoded once by the student, and the cosines of every pair."""
    taken = _ready(store, {ref.key: Taken(ref, config.tune.start) for ref in students.values()}, config, watch)
    calls = {
        (students[lang].key, code, shard): Encoding(
            corpus.texts[code, shard], taken[students[lang].key].files, config.tune.start, config.encode
        )
        for lang, shard in corpus.cells
        for code in (corpus.source, lang)
    }
    encoded = run_stage(ENCODE, "encode by the student", store, calls, config, watch)
    return watch.stage(
        "align",
        {
            (lang, shard): align_encoded.submit(
                store,
                corpus.pair_shard((lang, shard)),
                encoded[students[lang].key, corpus.source, shard],
                encoded[students[lang].key, lang, shard],
                segments[lang, shard],
                config.align,
            )
            for lang, shard in corpus.cells
        },
    )


def encoders_record(store: str, watch: Watch) -> dict[str, Any]:
    """Where the transformers that a run used came from, by role, for its record; nothing for a run without any."""
    found = {}
    for ref in watch.used.values():
        if ref.contract == "encoders":
            with Store(store).local(ref) as folder:
                found[ref.shard] = vars(read_origin(folder))
    return {"encoders": dict(sorted(found.items()))} if found else {}


def _ready(store: str, encoders: dict[Key, Taken], config: RunConfig, watch: Watch) -> dict[Key, Taken]:
    """The encoders as they will be run: themselves, or with int8 weights."""
    if config.encode.runtime == "torch":
        return encoders
    files = watch.stage("quantise", {key: quantise.submit(store, taken.files, taken.source) for key, taken in encoders.items()})
    return {key: Taken(files[key], taken.source) for key, taken in encoders.items()}
