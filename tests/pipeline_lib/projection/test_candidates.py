import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.projection import FEATURES
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around
from pipeline_lib.projection.candidates import CandidateConfig, Candidates, candidates, longest_run, maximum_sum, pair_spelling, proposals
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES
from pipeline_lib.projection.evidence import SIGNALS, Aligned, Evidence, evidence
from pipeline_lib.projection.spelling import hyphen_cuts, spelling_features
from tests.pipeline_lib.projection.pairs import aligned

PROSE = st.lists(st.sampled_from(["ab", "c", "3,5", "(", ")", ",", "-", " ", " "]), min_size=1, max_size=10).map("".join).filter(str.strip)
SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.9]), max_size=12)
AT = {name: number for number, name in enumerate(FEATURES)}
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
    return candidates(units, evidence(units, label, pair), pair, pair_spelling(pair), config)


def spans(found: Candidates) -> list[tuple[int, int]]:
    return list(zip(found.first.tolist(), found.last.tolist(), strict=True))


def every_run(found: Evidence, config: CandidateConfig) -> list[tuple[int, int]]:
    """Proposals and the paper's run, in target units."""
    paper = longest_run(found.share, found.support, config.threshold)
    return [(first + found.left, last + found.left) for first, last in [*proposals(found, config), *([paper] if paper else [])]]


@settings(max_examples=150, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.data())
def test_alignment_and_edge_features_equal_their_definition(source: str, target: str, seed: int, zero: int, data: st.DataObject) -> None:
    pair = some_pair(source, target, seed, zero)
    units = some_units(data, pair)
    dense = {
        name: pair.band.dense(signal)[units.start : units.stop].sum(axis=0) for name, signal in zip(SIGNALS, pair.signals, strict=True)
    }
    found = evidence(units, "DISEASE", pair)
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
    found, written = evidence(units, "DISEASE", pair), pair_spelling(pair)
    made = candidates_of(units, pair, EVERYTHING)
    cuts = hyphen_cuts(units, made.first, made.last, found.left, found.share, written.source, written.target, EVERYTHING.hyphen_share)
    expected = [cuts, *spelling_features(units, made.first, made.last, written.source, written.target)]
    names = ["hyphens", "brackets", "commas", "numbers", "length_ratio"]
    assert made.features[:, [AT[name] for name in names]] == pytest.approx(np.stack(expected, axis=1))


@settings(max_examples=150, deadline=None)
@given(PROSE, PROSE, st.integers(0, 2**16), st.integers(1, 5), st.integers(0, 3), st.integers(1, 40), st.data())
def test_candidates_are_few_sorted_unique_near_a_proposal_and_hold_all_proposals_if_all_are_kept(
    source: str, target: str, seed: int, zero: int, reach: int, most: int, data: st.DataObject
) -> None:
    pair = some_pair(source, target, seed, zero)
    units = some_units(data, pair)
    found, config = evidence(units, "DISEASE", pair), CandidateConfig(reach=reach, most=most)
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


@pytest.mark.parametrize("pair", [aligned("uno", "one", [[0.25]]), aligned("uno", "one", [[1.0]], Band(np.array([1]), np.array([1]), 1))])
def test_without_evidence_over_the_threshold_there_are_no_candidates(pair: Aligned) -> None:
    made = candidates_of(range(1), pair, CandidateConfig(threshold=0.4))
    assert (spans(made), made.features.shape, made.paper) == ([], (0, len(FEATURES)), None)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({"share": [0, 0.9, 0.4, 0]}, {(1, 2)}),
        ({"forward": [0, 0, 0.9, 0]}, {(2, 2)}),
        ({"backward": [0.9, 0, 0, 0]}, {(0, 0)}),
        ({"owned": [1, 1, 1, 1], "kept": [1, 1, 1, 1]}, set()),
        ({"share": [0.9, 0, 0, 0], "backward": [0, 0, 0, 0.9]}, {(0, 0), (3, 3)}),
        ({"share": [0.9, 0, 0, 0.4]}, {(0, 0), (3, 3)}),
    ],
)
def test_share_and_posteriors_propose_and_so_does_the_runner_up(signals: dict[str, list[float]], expected: set[tuple[int, int]]) -> None:
    dense = np.array([[signals.get(name, [0.0] * 4)] for name in SIGNALS])
    found = evidence(range(1), "DISEASE", aligned("uno", "a b c d", dense))
    assert set(proposals(found, CandidateConfig(threshold=0.25))) >= expected
    assert bool(expected) == bool(proposals(found, CandidateConfig(threshold=0.25)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=10))
def test_the_maximum_sum_is_the_largest_of_all_runs_if_any_is_positive(gains: list[float]) -> None:
    sums = {(i, j): sum(gains[i : j + 1]) for i in range(len(gains)) for j in range(i, len(gains))}
    found = maximum_sum(np.array(gains))
    if found is None:
        assert all(total <= 1e-12 for total in sums.values())
    else:
        assert sums[found] > 0 and sums[found] == pytest.approx(max(sums.values()))


def plain_runs(over: list[bool]) -> list[list[int]]:
    """Runs of units that are over, with gaps of one."""
    found: list[list[int]] = []
    for unit in [unit for unit, is_over in enumerate(over) if is_over]:
        if found and unit - found[-1][-1] <= 2:
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


@settings(max_examples=200, deadline=None)
@given(SCORES, st.data())
def test_the_longest_run_has_most_units_over_the_threshold_then_most_score_then_comes_first(
    scores: list[float], data: st.DataObject
) -> None:
    support = [float(data.draw(st.booleans())) for _ in scores]
    over = [score > 0.25 or bool(seen) for score, seen in zip(scores, support, strict=True)]
    runs = [run for run in plain_runs(over) if any(scores[unit] > 0.25 for unit in run)]
    best: list[int] = []
    for run in runs:
        if (len(run), round(sum(scores[unit] for unit in run), 9)) > (len(best), round(sum(scores[unit] for unit in best), 9)):
            best = run
    found = longest_run(np.array(scores), np.array(support), 0.25)
    if found is None or not best:
        assert found is None and not best
    else:
        assert rank(found, scores, over) == rank((best[0], best[-1]), scores, over)


def rank(run: tuple[int, int], scores: list[float], over: list[bool]) -> tuple[int, float]:
    units = [unit for unit in range(run[0], run[1] + 1) if over[unit]]
    return len(units), round(sum(scores[unit] for unit in units), 9)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.0, 0.9, 0.0, 0.0, 0.9], (0, 2)),
        ([0.9, 0.0, 0.0, 0.5, 0.5, 0.0], (3, 4)),
        ([0.3, 0.3, 0.0, 0.0, 0.9, 0.9], (4, 5)),
        ([0.3, 0.3, 0.3, 0.0, 0.0, 0.99], (0, 2)),
        ([0.0, 0.26, 0.0, 0.0, 0.0, 0.25], (1, 1)),
        ([0.6, 0.0, 0.6, 0.0, 0.6, 0.0], (0, 4)),
        ([0.25], None),
        ([], None),
    ],
)
def test_the_papers_run_is_the_longest_with_gaps_of_one(scores: list[float], expected: tuple[int, int] | None) -> None:
    assert longest_run(np.array(scores), np.zeros(len(scores)), 0.25) == expected


@pytest.mark.parametrize(
    ("scores", "support", "expected"),
    [
        ([0.0, 0.9, 0.0, 0.0, 0.0], [0, 1, 1, 1, 0], (1, 3)),
        ([0.0, 0.9, 0.0, 0.0, 0.0], [0, 0, 0, 1, 0], (1, 3)),
        ([0.9, 0.0, 0.0, 0.0, 0.0], [0, 0, 0, 1, 1], (0, 0)),
        ([0.0, 0.0, 0.0, 0.0, 0.0], [1, 1, 1, 1, 1], None),
    ],
)
def test_support_lengthens_a_run_that_the_alignment_has_a_part_in_and_makes_none(
    scores: list[float], support: list[float], expected: tuple[int, int] | None
) -> None:
    assert longest_run(np.array(scores), np.array(support, dtype=np.float64), 0.25) == expected


def test_what_a_tagger_sees_is_a_candidate_for_its_own_label_only() -> None:
    seen: dict[str, Floats] = {"DISEASE": np.array([0, 0, 0, 0, 0, 1.0, 1.0])}
    pair = aligned("uno", "a b c d e f g", [[0, 0, 0, 0, 0, 0.9, 0]], support=seen)
    config = CandidateConfig(reach=0)
    assert spans(candidates_of(range(1), pair, config)) == [(5, 5), (5, 6)]
    assert spans(candidates_of(range(1), pair, config, "SYMPTOM")) == [(5, 5)]


@pytest.mark.parametrize("wrong", [{"threshold": -0.1}, {"reach": -1}, {"most": 0}, {"edge_floor": 0}, {"hyphens": True}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CandidateConfig.model_validate(wrong)
