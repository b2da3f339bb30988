"""Sentences of the made-up language and their translations, word for word with local swaps."""

import numpy as np

from pipeline_lib.alignment.sentences import SentencePair
from tests.pipeline_lib.alignment.toys import DICTIONARY, STOP


def sentence_pairs(seed: int, pairs: int) -> list[SentencePair]:
    random = np.random.default_rng(seed)
    words = list(DICTIONARY)
    found: list[SentencePair] = []
    for _ in range(pairs):
        source = [words[i] for i in random.integers(0, len(words), random.integers(4, 9))]
        order = np.argsort(np.arange(len(source)) + random.uniform(-0.7, 0.7, len(source)))
        found.append(([*source, STOP], [*(DICTIONARY[source[i]] for i in order), STOP]))
    return found
