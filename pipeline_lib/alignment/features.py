"""Features: the views that compare two types, written as one vector a type, so that an inner product of two vectors is the view.

Character n-grams and the lexical table are far too wide to be a student's embedding. Both are hashed to a fixed width with random signs:
inner products stay what they were in the mean, with a standard deviation of about one over the root of the width (Weinberger et al. 2009,
"Feature Hashing"; Achlioptas 2003, "Database-friendly random projections").
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import HashingVectorizer

from pipeline_lib.alignment.fitted import Rows, Teachers, Vectors, Vocabulary
from pipeline_lib.alignment.ngrams import ngram_counts
from pipeline_lib.alignment.pooled import SIF
from pipeline_lib.alignment.views import NGRAM_COLUMNS, NGRAM_SIZES

Side = Literal["source", "target"]
SIDES: tuple[Side, Side] = ("source", "target")


def spelling(types: Sequence[str], width: int) -> Vectors:
    """Hashed character 2-5-grams, shape (types, width); inner products approximate ``character_view``. Needs no vocabulary."""
    signed = HashingVectorizer(analyzer="char_wb", ngram_range=NGRAM_SIZES, n_features=width, norm=None, lowercase=False)
    # Scaled by the norm of the counts, not by that of the hashed vector: else collisions would change how much a type weighs.
    counts = ngram_counts(types, *NGRAM_SIZES, NGRAM_COLUMNS)
    norms = np.sqrt(counts.multiply(counts).sum(axis=1)).reshape(-1, 1)
    return np.asarray(signed.transform(types).toarray() / np.maximum(norms, 1.0), dtype=np.float32)


def lexicon(table: csr_array, width: int, seed: int) -> tuple[Vectors, Vectors]:
    """Vectors of source and target types, shape (types, width); inner products approximate ``table``, shape (source, target types).

    Every target type has a random code, and a source type the sum of its translations' codes.
    """
    signs = np.random.default_rng(seed).integers(0, 2, size=(table.shape[1], width), dtype=np.int8)
    one = np.float32(1 / np.sqrt(width))
    codes = np.where(signs, one, -one)
    return np.asarray(table.astype(np.float32) @ codes), codes


def salience(vocabulary: Vocabulary) -> Vectors:
    """Weight of a type in a window's mean (``pooled.salience``), shape (types, 1): the smaller, the more frequent."""
    share = vocabulary.counts / vocabulary.total
    return np.asarray(SIF / (SIF + share), dtype=np.float32)[:, None]


def type_tables(teachers: Teachers, width: int, seed: int) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """What is known of the types of either side: lexicon, sentence and phrase vectors, salience; shape (types, dimensions) each."""
    source, target = lexicon(teachers.lexical, width, seed)
    return (
        {
            "lexicon": source,
            "sentence": teachers.sentence_source,
            "phrase": teachers.phrase_source,
            "salience": salience(teachers.source),
        },
        {
            "lexicon": target,
            "sentence": teachers.sentence_target,
            "phrase": teachers.phrase_target,
            "salience": salience(teachers.target),
        },
    )
