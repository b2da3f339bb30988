import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.projection import FEATURES, WINDOW
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around
from pipeline_lib.projection.candidates import BESIDE, CandidateConfig, Candidates, Settings, candidates
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES
from pipeline_lib.projection.evidence import SIGNALS, Aligned, Evidence
from pipeline_lib.projection.proposals import proposals
from pipeline_lib.projection.spelling import hyphen_cuts, spelling, spelling_features
from tests.pipeline_lib.projection.pairs import aligned, evidence_of

PROSE = st.lists(st.sampled_from(["ab", "c", "3,5", "(", ")", ",", "-", " ", " "]), min_size=1, max_size=10).map("".join).filter(str.strip)
AT = {name: number for number, name in enumerate(FEATURES)}
NOWHERE = Band(np.array([1], dtype=np.int32), np.array([1], dtype=np.int32), 1)
EVERYTHING = CandidateConfig(most=10_000)


def some_pair(source: str, target: str, seed: int, zero: int) -> Aligned:
    """Random signals on a random band, random edges, and a tagger that has seen some of the target."""
    random = np.random.default_rng(seed)
    probe = aligned(source, target, 0.0)
    n, m = len(probe.source.starts), len(probe.target.starts)
    band = band_around(random.uniform(-2, m + 2, n), m, BandConfig(full=0, zero=zero))
    support = {"DISEASE": (random.random(m) < 0.3).astype(np.float64)}
    return aligned(source, target, random.random((len(SIGNALS), n, m)) ** 2, band, random.normal(size=(m, 4)), support)


def some_units(data: st.DataObject, pair: Aligned) -> range:
    first = data.draw(st.integers(0, len(pair.source.starts) - 1))
    return range(first, data.draw(st.integers(first + 1, len(pair.source.starts))))


def candidates_of(units: range, pair: Aligned, config: CandidateConfig, label: str = "DISEASE") -> Candidates:
    return candidates(np.array([[units.start, units.stop]], dtype=np.int32), [label], pair, config)


def spans(found: Candidates) -> list[tuple[int, int]]:
    return [(first, last) for first, last in found.spans.tolist()]


def every_run(found: Evidence, config: CandidateConfig) -> list[tuple[int, int]]:
    """Proposals in target units."""
    return [(first + found.left, last + found.left) for first, last in proposals(found, config.threshold) if first <= last]


@settings(max_examples=150, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.data())
def test_alignment_and_edge_features_equal_their_definition(source: str, target: str, seed: int, zero: int, data: st.DataObject) -> None:
    pair = some_pair(source, target, seed, zero)
    units = some_units(data, pair)
    dense = {
        name: pair.band.dense(signal)[units.start : units.stop].sum(axis=0) for name, signal in zip(SIGNALS, pair.signals, strict=True)
    }
    found = evidence_of(units, "DISEASE", pair)
    tagged = np.zeros(len(pair.edges))
    tagged[found.left : found.left + len(found.share)] = found.support
    floor = EVERYTHING.edge_floor

    def edge(unit: int, place: int) -> float:
        return float(pair.edges[unit, place]) if 0 <= unit < len(pair.edges) else 0.0

    made = candidates_of(units, pair, EVERYTHING)
    for (a, b), features in zip(spans(made), made.features, strict=True):
        inside = slice(a, b + 1)
        expected = {
            "share": dense["share"][inside].sum(),
            "forward": dense["forward"][inside].sum(),
            "backward": dense["backward"][inside].sum(),
            "owned": dense["owned"][inside].sum(),
            "length": b - a + 1,
            "edge_share": sum(np.log(min(dense["share"][unit], 1.0) + floor) for unit in (a, b)),
            "edge_owned": sum(np.log(min(dense["owned"][unit], 1.0) + floor) for unit in (a, b)),
            "carried_inner": edge(a, OPENS) + edge(b, CLOSES),
            "carried_outer": edge(a - 1, PRECEDES) + edge(b + 1, FOLLOWS),
            "support": sum(tagged[inside]) - (b - a + 1) / 2 if tagged.any() else 0.0,
            "kept": dense["kept"][inside].sum() / len(units),
        }
        assert {name: features[AT[name]] for name in expected} == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.data())
def test_spelling_features_are_those_of_the_spans(source: str, target: str, seed: int, data: st.DataObject) -> None:
    pair = some_pair(source, target, seed, 20)
    units = some_units(data, pair)
    found, ours, theirs = evidence_of(units, "DISEASE", pair), spelling(pair.source), spelling(pair.target)
    made = candidates_of(units, pair, EVERYTHING)
    mention, least = (units.start, units.stop), EVERYTHING.hyphen_share
    expected = [
        (
            hyphen_cuts(mention, (a, b + 1), found.left, found.share, ours, theirs, least),
            *spelling_features(mention, (a, b + 1), ours, theirs),
        )
        for a, b in spans(made)
    ]
    names = ["hyphens", "brackets", "commas", "numbers", "length_ratio"]
    assert made.features[:, [AT[name] for name in names]] == pytest.approx(np.array(expected).reshape(-1, 5))


@settings(max_examples=150, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.integers(0, 3), st.integers(1, 40), st.data())
def test_candidates_are_few_sorted_unique_near_a_proposal_and_hold_all_proposals_if_all_are_kept(
    source: str, target: str, seed: int, zero: int, reach: int, most: int, data: st.DataObject
) -> None:
    pair = some_pair(source, target, seed, zero)
    units = some_units(data, pair)
    found, config = evidence_of(units, "DISEASE", pair), CandidateConfig(reach=reach, most=most)
    made = spans(candidates_of(units, pair, config))
    every = spans(candidates_of(units, pair, config.model_copy(update={"most": 10_000})))
    assert made == sorted(set(made)) and every == sorted(set(every)) and set(made) <= set(every)
    assert len(made) == min(most, len(every))
    runs, right = every_run(found, config), found.left + len(found.share)
    near = {
        (a, b)
        for a in range(found.left, right)
        for b in range(a, right)
        if any(abs(a - first) <= reach and abs(b - last) <= reach for first, last in runs)
    }
    assert set(every) == near and set(runs) <= near


def test_what_is_kept_of_too_many_is_what_plain_evidence_likes_best() -> None:
    pair = aligned("uno", "a b c d e", [[0.0, 0.5, 0.9, 0.0, 0.0]])
    assert spans(candidates_of(range(1), pair, CandidateConfig(most=1))) == [(1, 2)]
    assert spans(candidates_of(range(1), pair, CandidateConfig(most=2))) == [(1, 2), (2, 2)]


@pytest.mark.parametrize("pair", [aligned("uno", "one", [[0.25]]), aligned("uno", "one", [[1.0]], NOWHERE)])
def test_without_evidence_over_the_threshold_there_are_no_candidates(pair: Aligned) -> None:
    made = candidates_of(range(1), pair, CandidateConfig(threshold=0.4))
    assert (spans(made), made.features.shape, made.counts.tolist(), made.paper.tolist()) == ([], (0, len(FEATURES)), [0], [[-1, -1]])
    assert (made.windows.tolist(), made.signals.tolist()) == ([[0, 0]], [])


def test_what_a_tagger_sees_is_a_candidate_for_its_own_label_only() -> None:
    seen: dict[str, Floats] = {"DISEASE": np.array([0, 0, 0, 0, 0, 1.0, 1.0])}
    pair = aligned("uno", "a b c d e f g", [[0, 0, 0, 0, 0, 0.9, 0]], support=seen)
    config = CandidateConfig(reach=0)
    assert spans(candidates_of(range(1), pair, config)) == [(5, 5), (5, 6)]
    assert spans(candidates_of(range(1), pair, config, "SYMPTOM")) == [(5, 5)]


@settings(max_examples=100, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.integers(1, 20))
def test_those_kept_have_the_best_plain_scores_of_all(source: str, target: str, seed: int, zero: int, most: int) -> None:
    pair = some_pair(source, target, seed, zero)
    config = EVERYTHING.model_copy(update={"most": most})
    every, some = (candidates_of(range(len(pair.source.starts)), pair, given) for given in (EVERYTHING, config))
    plain = [
        of["share"] + 0.25 * (of["forward"] + of["backward"]) - 1.5 * config.threshold * of["length"]
        + 0.03 * (of["carried_inner"] + of["carried_outer"]) - 0.5 * of["hyphens"] + of["support"]
        for of in (dict(zip(FEATURES, row, strict=True)) for row in every.features.tolist())
    ]  # fmt: skip
    best = sorted(sorted(range(len(plain)), key=lambda number: -round(plain[number], 9))[:most])
    assert spans(some) == [spans(every)[number] for number in best]
    assert np.array_equal(some.features, every.features[best])


@settings(max_examples=100, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.data())
def test_the_window_shows_two_units_on_either_side_of_all_candidates(
    source: str, target: str, seed: int, zero: int, data: st.DataObject
) -> None:
    pair = some_pair(source, target, seed, zero)
    units = some_units(data, pair)
    made, found = candidates_of(units, pair, CandidateConfig()), evidence_of(units, "DISEASE", pair)
    ((left, size),) = made.windows.tolist()
    shown = list(range(left, left + size))
    near = {unit for first, last in spans(made) for unit in range(first - BESIDE, last + BESIDE + 1)}
    if near:
        assert shown == list(range(max(min(near), 0), min(max(near) + 1, len(pair.edges))))
    for name, row in zip(WINDOW, made.signals.reshape(len(WINDOW), size), strict=True):
        known = dict(enumerate(getattr(found, name).tolist(), found.left))
        assert row.tolist() == [known.get(unit, 0.0) for unit in shown]


@settings(max_examples=50, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.lists(st.sampled_from(["DISEASE", "SYMPTOM"]), max_size=4), st.data())
def test_mentions_at_once_are_the_mentions_one_by_one(source: str, target: str, seed: int, labels: list[str], data: st.DataObject) -> None:
    pair = some_pair(source, target, seed, 3)
    units = [some_units(data, pair) for _ in labels]
    once = candidates(np.array([(some.start, some.stop) for some in units], np.int32).reshape(-1, 2), labels, pair, CandidateConfig())
    alone = [candidates_of(some, pair, CandidateConfig(), label) for some, label in zip(units, labels, strict=True)]
    for number, column in enumerate(once):
        expected = [found[number] for found in alone]
        assert np.array_equal(column, np.concatenate([column[:0], *expected]))


def test_loops_take_all_settings() -> None:
    assert Settings._fields == tuple(CandidateConfig.model_fields)


@pytest.mark.parametrize("wrong", [{"threshold": -0.1}, {"reach": -1}, {"most": 0}, {"edge_floor": 0}, {"hyphens": True}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CandidateConfig.model_validate(wrong)
