"""Sentence pairs: the aligner of documents, fitted and used on pairs of tokenised sentences. A token is a unit, a pair is one segment."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from pydantic import BaseModel

from pipeline_lib.alignment.cost import CostConfig, document_cost
from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.links import LinkConfig, Links, links_of, odds
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import fold
from pipeline_lib.alignment.views import local_types, typed

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
    types = ((_types(source), _types(target)) for source, target in pairs)
    return fit_teachers([PairTypes(source, target, _whole(source, target)) for source, target in types], config.fit)


def link_sentences(pairs: Iterable[SentencePair], teachers: Teachers, config: SentenceConfig) -> Iterator[Links]:
    """The word links of each pair, by teachers, cost and plan as documents have them. Token indices count from 0."""
    for source, target in pairs:
        yield _link(_types(source), _types(target), teachers, config)


def _link(source: list[str], target: list[str], teachers: Teachers, config: SentenceConfig) -> Links:
    ours, theirs = typed(source, teachers.source), typed(target, teachers.target)
    cost, band, _ = document_cost(ours, theirs, _whole(source, target), teachers, config.cost)
    plan = sharpen(cost, band, config.sharpen)
    ahead, back = odds(local_types(ours, teachers.source), local_types(theirs, teachers.target), teachers.translation)
    return links_of(band.dense(shares(plan.values, band)), ahead, back, config.links)


def _whole(source: list[str], target: list[str]) -> Groups:
    """The one group of a sentence pair: there is nothing to choose."""
    return Groups(np.array([[0, len(source)]], dtype=np.int32), np.array([[0, len(target)]], dtype=np.int32), sliced=False)


def _types(sentence: Sentence) -> list[str]:
    return [fold(token) for token in sentence]
