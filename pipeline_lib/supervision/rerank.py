"""Re-ranking: boosted trees that learn from the gold of declared documents which candidate is right.

Trees (histogram gradient boosting, as scikit-learn has it) are trained on all of those documents; how far their verdicts can be trusted,
and how much the unsupervised score should still say, is measured on verdicts about documents that the trees behind them had not seen
(cross-fitting).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field
from safetensors.numpy import load_file, save_file
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.projection.scoring import probabilities
from pipeline_lib.supervision.features import NAMES
from pipeline_lib.supervision.mentions import Longs, mention_runs

Flags = npt.NDArray[np.bool_]
LESSONS, FACTS = "lessons.safetensors", "reranker.json"


class RerankError(CorpusError):
    """The declared documents cannot train a re-ranker. Counts, never text."""


class RerankConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How the re-ranker is trained."""

    trees: int = Field(160, ge=1, description="boosting rounds")
    leaves: int = Field(31, ge=2, description="leaves a tree")
    rate: float = Field(0.09, gt=0, description="learning rate")
    least_leaf: int = Field(20, ge=1, description="candidates that a leaf holds at least")
    ridge: float = Field(5.0, ge=0, description="L2 penalty of a leaf: without one, leaves that are almost sure may grow without bound")
    columns: float = Field(1.0, gt=0, le=1, description="share of the features that a split may look at")
    folds: int = Field(5, ge=2, description="parts that the declared documents are cross-fitted in")
    blends: tuple[float, ...] = Field(
        (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), min_length=1, description="weights of the unsupervised score to choose from"
    )
    seed: int = 7


@dataclass(frozen=True)
class Examples:
    """Candidates of the declared documents that are learnt from.

    Attributes:
        features: shape (candidates, features), in the order of ``NAMES``; right: which candidates are; owner: mention, ascending.
        scores: unsupervised; document: number of each candidate's document; each of shape (candidates,).
    """

    features: Floats
    right: Flags
    owner: Ints
    scores: Floats
    document: Longs

    def part(self, kept: Flags) -> "Examples":
        return Examples(self.features[kept], self.right[kept], self.owner[kept], self.scores[kept], self.document[kept])

    @property
    def lessons(self) -> "Lessons":
        return Lessons(np.ascontiguousarray(self.features, dtype=np.float32), self.right)


@dataclass(frozen=True)
class Calibration:
    """From a candidate's logarithmic share of its mention's verdicts to the probability that it is right: Platt's two numbers.

    Example: slope 1 and offset 0 leave the share as it is.
    """

    slope: float
    offset: float

    def __call__(self, shares: Floats) -> Floats:
        return np.asarray(_logistic(self.slope * _logit(shares) + self.offset))


@dataclass(frozen=True)
class Facts:
    """What goes with the trees: weight of the unsupervised score, calibration, and how the cross-fitted verdicts did.

    Attributes:
        documents, mentions: learnt from; chosen: mentions whose right candidate the cross-fitted verdicts put first, unsupervised: the
            same of the unsupervised score.
        error, raw_error: expected calibration error of the cross-fitted probabilities with and without calibration.
    """

    blend: float
    calibration: Calibration
    documents: int
    mentions: int
    chosen: int
    unsupervised: int
    error: float
    raw_error: float


@dataclass(frozen=True)
class Lessons:
    """What the trees are grown from, in the documents' order: features, shape (candidates, features), and which candidates are right."""

    features: npt.NDArray[np.float32]
    right: Flags


class Reranker:
    """Trees and facts; a pure function of features and unsupervised scores.

    It is stored as what it was taught, and grown again when it is read: the same lessons, settings and library grow the same trees, and
    no file has to hold code.
    """

    def __init__(self, lessons: Lessons, facts: Facts, config: RerankConfig) -> None:
        self.lessons, self.facts, self.config = lessons, facts, config
        self.trees = _grow(lessons, config)

    def shares(self, features: Floats, scores: Floats, owner: Ints) -> Floats:
        """Share of its mention that each candidate gets, shape (candidates,): what decides among them."""
        return _shares(_verdicts(self.trees, features), scores, owner, self.facts.blend)

    def save(self, folder: Path) -> None:
        save_file({"features": self.lessons.features, "right": self.lessons.right.astype(np.uint8)}, folder / LESSONS)
        facts = {"features": NAMES, "config": self.config.model_dump(mode="json"), **asdict(self.facts)}
        (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8", newline="\n")


def load_reranker(folder: Path) -> Reranker:
    """What ``save`` wrote. Raises ``RerankError`` if it was trained on other features."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    if facts.pop("features") != list(NAMES):
        raise RerankError("the re-ranker of the model was trained on other features by another release: run without --model")
    config, calibration = RerankConfig.model_validate(facts.pop("config")), Calibration(**facts.pop("calibration"))
    tensors = load_file(folder / LESSONS)
    lessons = Lessons(tensors["features"], tensors["right"].astype(bool))
    return Reranker(lessons, Facts(calibration=calibration, **facts), config)


def train(examples: Examples, config: RerankConfig) -> Reranker:
    """The re-ranker of the examples. Raises ``RerankError`` where there is too little to learn from."""
    documents = np.unique(examples.document)
    if len(documents) < 2 or not examples.right.any() or examples.right.all():
        raise RerankError(
            f"{len(documents)} declared documents with {len(np.unique(examples.owner))} mentions and {int(examples.right.sum())} right "
            "candidates: a re-ranker needs two documents, and right and wrong candidates"
        )
    verdicts = cross_fit(examples, config)
    shares = {blend: _shares(verdicts, examples.scores, examples.owner, blend) for blend in sorted(config.blends)}
    hits = {blend: _hits(found, examples) for blend, found in shares.items()}
    blend = max(hits, key=lambda blend: (hits[blend].sum(), -blend))
    best = _best(shares[blend], examples.owner)
    calibration = fit_calibration(shares[blend][best], examples.right[best])
    facts = Facts(
        blend,
        calibration,
        len(documents),
        len(best),
        int(hits[blend].sum()),
        int(_hits(examples.scores, examples).sum()),
        calibration_error(calibration(shares[blend][best]), examples.right[best]),
        calibration_error(shares[blend][best], examples.right[best]),
    )
    return Reranker(examples.lessons, facts, config)


def cross_fit(examples: Examples, config: RerankConfig) -> Floats:
    """Verdict on every candidate by trees that have seen nothing of its document, log-odds, shape (candidates,)."""
    fold = folds(examples.document, config)
    verdicts = np.empty(len(fold))
    for number in np.unique(fold):
        unseen = fold == number
        verdicts[unseen] = _verdicts(_grow(examples.part(~unseen).lessons, config), examples.features[unseen])
    return verdicts


def folds(document: Longs, config: RerankConfig) -> Longs:
    """Fold of every candidate: documents are dealt out in a random order of the seed."""
    documents, number = np.unique(document, return_inverse=True)
    order = np.random.default_rng(config.seed).permutation(len(documents))
    return np.asarray(order[number] % min(config.folds, len(documents)))


def fit_calibration(shares: Floats, right: Flags) -> Calibration:
    """Platt's calibration, with his targets that keep it finite."""
    logits, hits = _logit(shares), int(right.sum())
    wanted = np.where(right, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))

    def loss(weights: Floats) -> float:
        linear = weights[0] * logits + weights[1]
        return float(np.mean(np.logaddexp(0.0, linear) - wanted * linear))

    slope, offset = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(1e-3, None), (None, None)]).x
    return Calibration(float(slope), float(offset))


def calibration_error(confidence: Floats, right: Flags, bins: int = 10) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over bins of equal width, weighted by their size."""
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / max(len(confidence), 1))


def _grow(lessons: Lessons, config: RerankConfig) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(
        max_iter=config.trees,
        max_leaf_nodes=config.leaves,
        learning_rate=config.rate,
        min_samples_leaf=config.least_leaf,
        l2_regularization=config.ridge,
        max_features=config.columns,
        early_stopping=False,
        random_state=config.seed,
    )
    # One thread: shards run side by side.
    with threadpool_limits(1):
        return trees.fit(lessons.features, lessons.right)


def _verdicts(trees: HistGradientBoostingClassifier, features: Floats) -> Floats:
    if not len(features):
        return np.empty(0)
    with threadpool_limits(1):
        return np.asarray(trees.decision_function(features.astype(np.float32)), dtype=np.float64)


def _shares(verdicts: Floats, scores: Floats, owner: Ints, blend: float) -> Floats:
    return probabilities(verdicts + blend * scores, owner)


def _hits(scores: Floats, examples: Examples) -> Flags:
    """Whether the best candidate of each mention is right."""
    return examples.right[_best(scores, examples.owner)]


def _best(scores: Floats, owner: Ints) -> Longs:
    """The best candidate of each mention."""
    starts, sizes = mention_runs(owner)
    return np.array([start + int(np.argmax(scores[start : start + size])) for start, size in zip(starts, sizes, strict=True)], np.int64)


def _logit(shares: Floats) -> Floats:
    clipped = np.clip(shares, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values)))
