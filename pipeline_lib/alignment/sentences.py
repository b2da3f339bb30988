"""Sentence pairs: the aligner of documents, fitted and used on pairs of tokenised sentences. A token is a unit, a pair is one segment."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from pydantic import BaseModel

from pipeline_lib.alignment.cost import CostConfig, document_cost
from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.links import LinkConfig, Links, links_of
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import fold
from pipeline_lib.alignment.views import typed

Sentence: TypeAlias = Sequence[str]
SentencePair: TypeAlias = tuple[Sentence, Sentence]


class SentenceConfig(BaseModel, frozen=True, extra="forbid"):
    """The parts of a run's settings that word links depend on, under the names and with the defaults that a run has them by."""

    fit: FitConfig = FitConfig()
    cost: CostConfig = CostConfig()
    sharpen: SharpenConfig = SharpenConfig()
    links: LinkConfig = LinkConfig()


def fit_sentences(pairs: Iterable[SentencePair], config: SentenceConfig) -> Teachers:
    """The teachers, fitted on sentence pairs: at least one, no sentence without token."""
    return fit_teachers([PairTypes(_types(source), [0], _types(target), [0]) for source, target in pairs], config.fit)


def link_sentences(pairs: Iterable[SentencePair], teachers: Teachers, config: SentenceConfig) -> Iterator[Links]:
    """The word links of each pair, by teachers, cost and plan as documents have them. Token indices count from 0."""
    for source, target in pairs:
        source_text, target_text = typed(_types(source), teachers.source), typed(_types(target), teachers.target)
        cost, band = document_cost(source_text, target_text, teachers, config.cost)
        plan = sharpen(cost, band, config.sharpen)
        yield links_of(band.dense(shares(plan.values, band)), config.links)


def _types(sentence: Sentence) -> list[str]:
    return [fold(token) for token in sentence]
