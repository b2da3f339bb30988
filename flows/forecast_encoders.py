"""The stages of a forecast that ask transformers: teachers, their cost, the student's training, its alignments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from flows.config import RunConfig
from flows.forecast_probe import Probe
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.model_files import ModelSource, locate, model_files
from pipeline_lib.encoding.views import Role
from pipeline_lib.planning.encoder_stages import EncoderPace, read_cells, time_align_vectors, time_encoder, time_views
from pipeline_lib.planning.estimate import Schooling, checkpoint_bytes, vector_bytes
from pipeline_lib.planning.pair_stages import time_sharpen
from pipeline_lib.planning.student_stages import time_tune
from pipeline_lib.planning.text_stages import by_turns


@dataclass(frozen=True)
class Transformers:
    """Where the transformers of a run lie on this machine; none for a run without any."""

    tokenizer: Path | None
    teachers: Mapping[Role, tuple[Path, ModelSource]]
    start: Path | None


def find_transformers(config: RunConfig) -> Transformers:
    """All that the run will ask, before anything is timed. Asks no network. Raises ``EncoderError``."""
    source, setting = config.tokenizer
    tokenizer = locate(source, setting, weights=False, download=False)[0] if config.units.grid == "pieces" else None
    if config.teachers.kind == "fitted":
        return Transformers(tokenizer, {}, None)
    sources: dict[Role, ModelSource] = {role: getattr(config.teachers, role) for role in config.views.weights}
    teachers = {role: (locate(each, f"teachers.{role}", download=False)[0], each) for role, each in sources.items()}
    source, setting = config.start
    return Transformers(tokenizer, teachers, locate(source, setting, download=False)[0])


def forecast_plans(probe: Probe, found: Transformers) -> dict[Role, EncoderPace]:
    """The teachers' vectors, the cost that they give, the plans; the teachers' paces by role."""
    config, langs, groups = probe.config, probe.pair.langs, probe.groups
    encoders: dict[Role, EncoderPace] = {}
    for role, (folder, source) in found.teachers.items():
        cut = next(iter(encoders.values())).cut if encoders else 0  # all have to read the same of a text
        encoders[role] = _time_encoder(probe, folder, source, cut)
        _add_encoder(probe, f"encode: {role}", encoders[role])
    costs = time_views(langs, groups, encoders, config.views, probe.clock)
    band, anchored = config.views.band, config.views.anchored
    plans = time_sharpen(read_cells(langs, groups, encoders.values(), band, anchored), costs, config.sharpen, probe.clock)
    cells = probe.cells(band, anchored)
    probe.add("views", costs, cells)
    probe.add("sharpen", plans, cells)
    _add_files(probe, found)
    return encoders


def forecast_tune(probe: Probe, found: Transformers, lessons: Sequence[Lesson[GridText]], schooled: Schooling) -> None:
    """The student's training, its states while it trains, and itself."""
    config = probe.config
    assert found.start is not None  # where there are teachers
    step = time_tune(found.start, lessons, config.align, config.encode, config.tune, probe.seconds("distill"))
    if schooled.steps:
        probe.add_rate("distill", 1 / step.seconds, schooled.work(config.tune.crops_a_step))
    probe.bytes["checkpoints"] += round(checkpoint_bytes(step.parameters, schooled.steps, config.tune.keep_every))
    probe.bytes["student"] += 4 * step.parameters + _bytes(found.start, weights=False)


def forecast_align(probe: Probe, found: Transformers, encoders: Mapping[Role, EncoderPace]) -> None:
    """Every text encoded by the student, which is as fast as what it starts from, and its alignments."""
    assert found.start is not None  # where there are teachers
    config = probe.config
    own = config.tune.start
    same = next((each for role, each in encoders.items() if _alike((found.start, own), found.teachers[role])), None)
    student = same or _time_encoder(probe, found.start, own, next(iter(encoders.values())).cut)
    _add_encoder(probe, "encode by the student", student)
    aligned = time_align_vectors(probe.pair.langs, probe.groups, student, config.align, probe.clock)
    probe.add("align", aligned, probe.cells(config.align.band, config.align.anchored))


def _time_encoder(probe: Probe, folder: Path, source: ModelSource, cut: int) -> EncoderPace:
    texts = {name: found.text for name, found in by_turns(probe.sample).items()}
    return time_encoder(folder, source, texts, probe.config.encode, probe.clock.times(probe.seconds("encode") / probe.clock.seconds), cut)


def _add_encoder(probe: Probe, name: str, encoder: EncoderPace) -> None:
    tokens = sum(encoder.reads.get(lang.lang, 0.0) * lang.tokens for lang in probe.languages)
    calls = len(probe.languages) * probe.shards
    probe.add_rate(name, encoder.pace.rate * _gpus(probe.config), tokens, calls, encoder.load)
    probe.bytes["unit_vectors"] += round(vector_bytes(probe.units, encoder.width, encoder.each))


def _add_files(probe: Probe, found: Transformers) -> None:
    """The copies that the store takes of the transformers."""
    weighty = [*(folder for folder, _ in found.teachers.values()), *([found.start] if found.start else [])]
    probe.bytes["encoders"] += sum(_bytes(folder) for folder in weighty)
    probe.bytes["encoders"] += _bytes(found.tokenizer, weights=False) if found.tokenizer else 0


def _alike(one: tuple[Path, ModelSource], other: tuple[Path, ModelSource]) -> bool:
    taken = [each.model_dump(include={"hidden_state", "window", "overlap"}) for each in (one[1], other[1])]
    return one[0] == other[0] and taken[0] == taken[1]


def _gpus(config: RunConfig) -> int:
    """GPUs that shards are spread over; 1 for a CPU too, whose workers were timed together."""
    several = config.encode.device in {"auto", "cuda"} and torch.cuda.is_available()
    return max(1, min(torch.cuda.device_count(), config.workers)) if several else 1


def _bytes(folder: Path, weights: bool = True) -> int:
    return sum((folder / name).stat().st_size for name in model_files(folder, weights))
