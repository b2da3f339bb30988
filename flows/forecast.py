"""What a run will read, write and take: its stages in their order, each by its pace on a sample of the corpus."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.config import RunConfig
from flows.forecast_encoders import Transformers, find_transformers, forecast_align, forecast_plans, forecast_tune
from flows.forecast_probe import Probe
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.student import Student
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.pieces import pieces_of, read_tokenizer
from pipeline_lib.encoding.vectors import chosen_device, chosen_precision
from pipeline_lib.encoding.views import Role
from pipeline_lib.planning.encoder_stages import EncoderPace
from pipeline_lib.planning.estimate import Estimate, schooling
from pipeline_lib.planning.mention_stages import time_candidates, time_consistency, time_project
from pipeline_lib.planning.pace import Pace
from pipeline_lib.planning.pair_stages import groups_of, time_cost, time_edges, time_embed, time_fit, time_segments, time_sharpen
from pipeline_lib.planning.sample import list_corpus, take_sample
from pipeline_lib.planning.student_stages import crops_a_document, sample_lessons, time_align, time_distill
from pipeline_lib.planning.text_stages import time_ingest, time_units


class PlanError(RuntimeError):
    """A run would take longer than the user allows."""


@dataclass(frozen=True)
class Forecast:
    """An estimate, and on what it rests.

    Attributes:
        device, precision: of the transformers and of what else takes a GPU; encoders: tokens a second, by role.
        documents: of the sample; seconds: that the probe took.
    """

    profile: str
    grid: str
    device: str
    precision: str
    workers: int
    estimate: Estimate
    encoders: Mapping[str, float]
    documents: int
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """What the fitted teachers made of the sample."""

    teachers: Teachers
    edges: Floats
    embedded: Pace
    costs: Pace
    plans: Pace


def forecast(config: RunConfig, corpus: Path, source: str, targets: Sequence[str], seconds: float) -> Forecast:
    """Let a sample go through the stages for about so many ``seconds``, and count what the whole corpus will take.

    Raises ``CorpusError`` and ``EncoderError``: what a run would end with, and an encoder that is not on this machine.
    """
    began = time.perf_counter()
    one_blas_thread()
    device = chosen_device(config.encode.device)
    listed = list_corpus(corpus, source, targets, config.corpus)
    found = find_transformers(config)
    cut = pieces_of(read_tokenizer(found.tokenizer)) if found.tokenizer else None
    probe = Probe.of(config, listed, take_sample(listed, config.corpus.aliases, cut), seconds)
    probe.add("ingest", time_ingest(probe.sample, config.corpus.aliases, probe.clock), probe.units)
    probe.add("units", time_units(probe.sample, cut, probe.clock), probe.units)
    fitted = _fit(probe)
    encoders = forecast_plans(probe, found) if found.teachers else {}
    if not encoders:
        probe.add("sharpen", fitted.plans, probe.cells(config.cost.band, config.cost.anchored))
    aligned = _distil(probe, fitted, found, encoders)
    _carry(probe, fitted, aligned)
    rates: dict[str, float] = {role: each.pace.rate for role, each in encoders.items()}
    precision = str(chosen_precision(config.encode.precision, device)).removeprefix("torch.")
    documents = len(next(iter(probe.sample.drawn.values())))
    spent = time.perf_counter() - began
    return Forecast(config.profile, config.units.grid, device, precision, config.workers, probe.estimate(), rates, documents, spent)


def require_at_most(found: Forecast, hours: float | None) -> None:
    """Raises ``PlanError`` if the run would take longer."""
    if hours is not None and found.estimate.hours > hours:
        slow = " without a GPU" if found.encoders and found.device == "cpu" else ""
        raise PlanError(
            f"profile {found.profile} would take about {found.estimate.hours:.3g} hours on {found.device}{slow}, "
            f"more than the {hours:g} allowed"
        )


def _fit(probe: Probe) -> Fitted:
    """Segments, fitted teachers and their costs, which every profile has: candidates ask them too."""
    config, pair = probe.config, probe.pair
    segments = time_segments(pair, config.segments, probe.clock)
    probe.groups = groups_of(segments)
    rate, teachers = time_fit(pair, probe.groups, config.fit)
    odds_rate, odds = time_edges(pair, teachers, config.edges)
    embedded = time_embed(pair, teachers, probe.clock)
    cells = probe.band_cells(config.cost.band, config.cost.anchored)
    costs = time_cost(cells, embedded, segments, teachers, config.cost, probe.clock)
    probe.add("segments", segments, probe.pair_units)
    probe.add_rate("fit", rate * probe.pairs_abreast, probe.pair_units)
    probe.add_rate("edges", odds_rate * probe.pairs_abreast, probe.pair_units)
    probe.add("embed", embedded, probe.pair_units)
    probe.add("cost", costs, probe.cells(config.cost.band, config.cost.anchored))
    return Fitted(teachers, odds, embedded, costs, time_sharpen(cells, costs, config.sharpen, probe.clock))


def _distil(probe: Probe, fitted: Fitted, found: Transformers, encoders: Mapping[Role, EncoderPace]) -> Pace:
    """The student's training and, where it projects, its alignments; the plans that mentions are carried along."""
    config = probe.config
    training = config.tune if found.teachers else config.distill
    lessons = sample_lessons(probe.pair, probe.groups, fitted.plans, training.crop, config.align)
    crops, documents = crops_a_document(probe.pair, training.crop), [pair.documents for pair in probe.pairs]
    if found.teachers:
        forecast_tune(probe, found, lessons, schooling(documents, crops, training))
        if config.aligner == "student":
            forecast_align(probe, found, encoders)
        return fitted.plans  # what the transformers made may speak of the beginnings of texts alone
    schooled = [schooling([count], crops, training) for count in documents]
    student = _time_student(probe, fitted, lessons, sum(each.work(training.crops_a_step) for each in schooled))
    if config.aligner == "target":
        return fitted.plans
    cells = probe.band_cells(config.align.band, config.align.anchored)
    aligned = time_align(probe.pair, probe.groups, cells, student, config.align, probe.clock)
    probe.add("align", aligned, probe.cells(config.align.band, config.align.anchored))
    return aligned


def _time_student(probe: Probe, fitted: Fitted, lessons: Sequence[Lesson[GridText]], steps: float) -> Student:
    """The fitted teachers' students, one a language pair."""
    config = probe.config
    step, student = time_distill(fitted.teachers, lessons, config.cost, config.align, config.distill, probe.seconds("distill"))
    abreast = max(1, min(probe.pairs_abreast, probe.cores // config.distill.threads))
    if steps:
        probe.add_rate("distill", abreast / step.seconds, steps)
    return student


def _carry(probe: Probe, fitted: Fitted, aligned: Pace) -> None:
    """Mentions into the targets."""
    config, pair = probe.config, probe.pair
    candidates = time_candidates(pair, fitted.embedded, fitted.edges, aligned, fitted.costs, config.candidates, probe.clock)
    rate, counted = time_consistency(pair.units, candidates, fitted.teachers, config.consistency)
    projected = time_project(pair, candidates, counted, config.consistency, config.decode, probe.clock)
    probe.add("candidates", candidates, probe.pair_units)
    probe.add_rate("consistency", rate * probe.pairs_abreast, probe.pair_units)
    probe.add("project", projected, probe.pair_units)
