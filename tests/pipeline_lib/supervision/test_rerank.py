"""The trees: cross-fitting, calibration, what is stored."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline_lib.supervision.features import NAMES
from pipeline_lib.supervision.rerank import (
    FACTS,
    LESSONS,
    Calibration,
    Examples,
    RerankConfig,
    RerankError,
    calibration_error,
    cross_fit,
    fit_calibration,
    folds,
    load_reranker,
    train,
)

CONFIG = RerankConfig(trees=8, leaves=4, least_leaf=2, folds=3)


def made_up(documents: int = 6, mentions: int = 10, size: int = 4, seed: int = 1) -> Examples:
    """Of each mention's candidates the one with the largest first feature is right; the unsupervised score is noise."""
    random = np.random.default_rng(seed)
    count = documents * mentions * size
    features = random.normal(size=(count, len(NAMES))).astype(np.float32)
    owner = np.repeat(np.arange(documents * mentions, dtype=np.int32), size)
    best = features[:, 0].reshape(-1, size).argmax(axis=1) + np.arange(documents * mentions) * size
    right = np.zeros(count, dtype=bool)
    right[best] = True
    return Examples(features, right, owner, random.normal(size=count), np.repeat(np.arange(documents), mentions * size))


def test_a_verdict_does_not_hang_on_the_gold_of_its_own_document() -> None:
    examples = made_up()
    own = examples.document == 2
    lied = replace(examples, right=np.where(own, ~examples.right, examples.right))
    before, after = cross_fit(examples, CONFIG), cross_fit(lied, CONFIG)
    assert np.array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])


def test_documents_are_never_split_and_every_fold_has_some() -> None:
    document = made_up().document
    fold = folds(document, CONFIG)
    assert [len(set(fold[document == number])) for number in range(6)] == [1] * 6
    assert set(fold) == {0, 1, 2}
    assert set(folds(np.array([7, 9]), CONFIG)) == {0, 1}


def test_the_penalty_keeps_near_certain_leaves_from_growing() -> None:
    largest = [np.abs(cross_fit(made_up(), CONFIG.model_copy(update={"trees": 100, "ridge": ridge}))).max() for ridge in (0.0, 5.0, 50.0)]
    assert largest[0] > 1.2 * largest[1] and largest[1] > 1.2 * largest[2]


def test_what_gold_shows_beats_a_score_that_knows_nothing() -> None:
    facts = train(made_up(), CONFIG).facts
    assert facts.blend < max(CONFIG.blends)
    assert facts.chosen > 0.7 * facts.mentions
    assert facts.chosen > 1.5 * facts.unsupervised > 0
    assert (facts.documents, facts.mentions) == (6, 60)


def test_a_score_that_knows_everything_is_listened_to() -> None:
    examples = made_up()
    noise = np.random.default_rng(3).normal(size=examples.features.shape).astype(np.float32)
    facts = train(replace(examples, features=noise, scores=9.0 * examples.right), CONFIG).facts
    assert facts.blend > 0
    assert facts.chosen == facts.unsupervised == facts.mentions


def test_probabilities_lie_between_0_and_1_and_keep_the_order() -> None:
    reranker, other = train(made_up(), CONFIG), made_up(seed=2)
    shares = reranker.shares(other.features, other.scores, other.owner)
    confidence = reranker.facts.calibration(shares)
    assert ((confidence >= 0) & (confidence <= 1)).all()
    assert (np.diff(confidence[np.argsort(shares)]) >= -1e-12).all()
    assert np.allclose(np.bincount(other.owner, shares), 1.0)
    assert reranker.shares(other.features[:0], other.scores[:0], other.owner[:0]).shape == (0,)


def test_calibration_makes_confidence_honest() -> None:
    random = np.random.default_rng(5)
    shares = random.uniform(0.05, 0.95, 4000)
    right = random.uniform(size=4000) < Calibration(0.4, -0.5)(shares)
    found = fit_calibration(shares, right)
    assert found.slope == pytest.approx(0.4, abs=0.06)
    assert calibration_error(found(shares), right) < 0.03 < 0.1 < calibration_error(shares, right)


def test_calibration_stays_finite_where_every_verdict_is_right() -> None:
    found = fit_calibration(np.array([0.9, 0.99]), np.array([True, True]))
    assert np.isfinite([found.slope, found.offset]).all()
    assert found(np.array([0.0, 1.0])).max() <= 1


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    assert calibration_error(np.array([0.75] * 4), np.array([True, True, True, False])) == pytest.approx(0.0)
    assert calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, False, False])) == pytest.approx(0.25)


def test_the_same_examples_give_the_same_bytes_and_what_is_read_judges_alike(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        train(made_up(), CONFIG).save(tmp_path / name)
    for file in (LESSONS, FACTS):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    own, read, other = train(made_up(), CONFIG), load_reranker(tmp_path / "one"), made_up(seed=2)
    arguments = other.features, other.scores, other.owner
    assert np.array_equal(own.shares(*arguments), read.shares(*arguments))
    assert read.facts == own.facts


def test_trees_of_other_features_are_refused(tmp_path: Path) -> None:
    train(made_up(), CONFIG).save(tmp_path)
    facts = (tmp_path / FACTS).read_text("utf-8")
    (tmp_path / FACTS).write_text(facts.replace('"share"', '"shore"', 1), "utf-8")
    with pytest.raises(RerankError, match="other features"):
        load_reranker(tmp_path)


@pytest.mark.parametrize("too_little", ["one document", "nothing right", "nothing at all"])
def test_too_little_gold_is_refused_with_its_counts(too_little: str) -> None:
    examples = made_up()
    if too_little == "nothing right":
        examples = replace(examples, right=np.zeros_like(examples.right))
    else:
        examples = examples.part(examples.document < (too_little == "one document"))
    with pytest.raises(RerankError, match=r"declared documents with \d+ mentions"):
        train(examples, CONFIG)
