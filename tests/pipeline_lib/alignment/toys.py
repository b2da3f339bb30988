"""A made-up language pair: sixty words whose translations share no letters, and documents translated word for word with local swaps."""

from itertools import product

import numpy as np

from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.lexical import LexicalConfig

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
        breaks = []
        for _ in range(sentences):
            breaks.append(len(source))
            sentence = [words[i] for i in random.integers(0, len(words), random.integers(4, 9))]
            order = np.argsort(np.arange(len(sentence)) + random.uniform(-0.7, 0.7, len(sentence)))
            source += [*sentence, STOP]
            target += [*(DICTIONARY[sentence[i]] for i in order), STOP]
        pairs.append(PairTypes(source, breaks, target, breaks))
    return pairs


def same_twice(seed: int, documents: int = 8, sentences: int = 6) -> list[PairTypes]:
    """Documents whose translation is the same text."""
    return [PairTypes(p.source, p.source_breaks, p.source, p.source_breaks) for p in translated(seed, documents, sentences)]


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
