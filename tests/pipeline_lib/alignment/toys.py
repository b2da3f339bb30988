"""A made-up language pair: sixty words whose translations share no letters, and documents translated word for word with local swaps."""

from itertools import product

import numpy as np

from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.lexical import LexicalConfig
from pipeline_lib.alignment.segments import Groups

DICTIONARY = {
    f"{a}{b}{c}": f"{x}{y}{z}"
    for (a, x), (b, y), (c, z) in product(
        zip("bcdfgj", "npqstw", strict=True), zip("aeiou", "vxyzk", strict=True), zip("lr", "hm", strict=True)
    )
}
STOP = "."


def translated(seed: int, documents: int = 40, sentences: int = 6) -> list[PairTypes]:
    """Documents of random sentences and their translations, in which neighbouring words swap now and then."""
    random = np.random.default_rng(seed)
    words = list(DICTIONARY)
    pairs = []
    for _ in range(documents):
        source: list[str] = []
        target: list[str] = []
        edges = [0]
        for _ in range(sentences):
            sentence = [words[i] for i in random.integers(0, len(words), random.integers(4, 9))]
            order = np.argsort(np.arange(len(sentence)) + random.uniform(-0.7, 0.7, len(sentence)))
            source += [*sentence, STOP]
            target += [*(DICTIONARY[sentence[i]] for i in order), STOP]
            edges.append(len(source))
        # A sentence and its translation are equally long, so both have the same edges.
        sentences_of = np.stack([edges[:-1], edges[1:]], axis=1).astype(np.int32)
        pairs.append(PairTypes(source, target, Groups(sentences_of, sentences_of, sliced=False)))
    return pairs


def same_twice(seed: int, documents: int = 8, sentences: int = 6) -> list[PairTypes]:
    """Documents whose translation is the same text."""
    return [PairTypes(pair.source, pair.source, pair.groups) for pair in translated(seed, documents, sentences)]


def turned(pair: PairTypes) -> PairTypes:
    """The same pair seen from the other side."""
    return PairTypes(pair.target, pair.source, Groups(pair.groups.target, pair.groups.source, pair.groups.sliced))


def shortened(pair: PairTypes, first: int, last: int) -> PairTypes:
    """The pair without the target's sentences first..last, exclusive."""
    start, end = int(pair.groups.target[first, 0]), int(pair.groups.target[last - 1, 1])
    edges = pair.groups.target
    kept = np.where(edges <= start, edges, np.maximum(edges - (end - start), start)).astype(np.int32)
    return PairTypes(pair.source, pair.target[:start] + pair.target[end:], Groups(pair.groups.source, kept, sliced=False))


def fitted(pairs: list[PairTypes], dimensions: int = 24) -> Teachers:
    return fit_teachers(pairs, FitConfig(dimensions=dimensions, lexical=LexicalConfig(ibm1_rounds=5, hmm_rounds=2)))


def swapped(teachers: Teachers) -> Teachers:
    """The same teachers seen from the other side."""
    return Teachers(
        teachers.target,
        teachers.source,
        teachers.sentence_target,
        teachers.sentence_source,
        teachers.phrase_target,
        teachers.phrase_source,
        teachers.lexical.T.tocsr(),
        teachers.translation.reversed(),
    )
