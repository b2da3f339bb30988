"""Projection of the bundled corpus, Spanish to English: units, views, plan and decoding of every document, with the model fitted before."""

from dataclasses import dataclass

import numpy as np

from benchmarks.measure import Row, cpu_seconds, median_ms
from pipeline_lib.alignment.cost import CostConfig, document_cost
from pipeline_lib.alignment.fitted import FitConfig, Teachers, fit_teachers, pair_types
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.alignment.views import typed
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.samples import documents, marked
from pipeline_lib.projection.decode import Aligned, DecodeConfig, project_mention

ROUNDS = 5


@dataclass(frozen=True)
class Document:
    """Both texts of one document, and the source's mentions as (starts, ends)."""

    source: str
    target: str
    mentions: list[tuple[list[int], list[int]]]


def projection_row() -> Row:
    corpus = [document(name) for name in documents()]
    teachers: list[Teachers] = []

    def fit() -> None:
        pairs = [pair_types(grid(text.source), grid(text.target)) for text in corpus]
        teachers.append(fit_teachers(pairs, FitConfig()))

    fit()
    fit_seconds = cpu_seconds(fit)
    work = {"all": lambda: [project(text, teachers[-1]) for text in corpus]}
    seconds = median_ms(work, ROUNDS)["all"] / 1e3
    units = sum(len(grid(text.source).starts) for text in corpus)
    return {
        "documents": len(corpus),
        "source_units": units,
        "mentions": sum(len(text.mentions) for text in corpus),
        "fit_s": fit_seconds,
        "documents_a_second": len(corpus) / seconds,
        "units_a_second": units / seconds,
    }


def document(name: str) -> Document:
    source, mentions = parse_marks(marked(name, "es"))
    return Document(source, parse_marks(marked(name, "en"))[0], [(list(m.starts), list(m.ends)) for m in mentions])


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def project(text: Document, teachers: Teachers) -> int:
    """How many mentions found a place. Edge statistics are left at 0: they are looked up, not computed, at projection."""
    source, target = grid(text.source), grid(text.target)
    cost, band = document_cost(typed(source.types, teachers.source), typed(target.types, teachers.target), teachers, CostConfig())
    found = shares(sharpen(cost, band, SharpenConfig()).values, band)
    pair = Aligned(source, target, found, band, np.zeros((len(target.starts), 4)))
    return sum(project_mention(starts, ends, pair, DecodeConfig()).reason is None for starts, ends in text.mentions)
