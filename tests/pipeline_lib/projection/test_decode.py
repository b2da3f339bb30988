import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_lib.alignment.band import BandConfig, band_around
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.decode import PLACED_BY, DecodeConfig, Placed, Span, choices, decode_mention, place_fragments
from pipeline_lib.projection.scoring import CorpusKnowledge, SpanWeights, pool
from tests.pipeline_lib.projection.pairs import (
    candidate_row,
    candidate_table,
    corpus_says,
    gather,
    gather_identity,
    grid,
    nothing_known,
    pair_texts,
    plan_row,
    posterior_row,
)
from tests.pipeline_lib.projection.rows import Fragments, mentions

PAPER, OURS = DecodeConfig(decoder="paper"), DecodeConfig()
BOTH = pytest.mark.parametrize("config", [OURS, PAPER], ids=["maximum-sum", "paper"])
PROSE = st.text(alphabet="abcé1.,-  \n(😀\u0301\u00ad", min_size=1, max_size=40).filter(str.strip)


def decoded(table: pa.Table, found: pa.Table, source: str, target: str, config: DecodeConfig, known: CorpusKnowledge) -> list[Span]:
    placed = place_fragments(table, known, config)
    rows = [(row["document"], row["mention"], row["starts"], row["ends"]) for row in found.to_pylist()]
    return [decode_mention(*row, grid(source), grid(target), placed) for row in rows]


def onto_itself(text: str, fragments: Fragments, config: DecodeConfig, search: CandidateConfig | None = None) -> Span:
    found = mentions({"d": text}, ("d", "T1", fragments))
    (span,) = decoded(gather_identity(found, {"d": text}, config=search), found, text, text, config, nothing_known())
    return span


def along(
    source: str, target: str, shares: list[list[float]], *fragments: tuple[int, int], config: DecodeConfig = OURS
) -> tuple[list[str], Span]:
    """Surfaces and span of a mention whose plan, made of the given mass, and posteriors, the mass itself, are known."""
    found = mentions({"d": source}, ("d", "T1", list(fragments)))
    texts = pair_texts({"d": source}, {"d": target})
    table = gather(found, texts, [plan_row("d", shares)], [posterior_row("d", np.minimum(shares, 1.0))])
    (span,) = decoded(table, found, source, target, config, nothing_known())
    return [target[start:end] for start, end in offsets(span)], span


def offsets(span: Span) -> Fragments:
    return list(zip(span.starts, span.ends, strict=True))


def on(word: str, text: str) -> tuple[int, int]:
    start = text.index(word)
    return start, start + len(word)


def parts_a_mark(text: str, place: int) -> bool:
    return place < len(text) and unicodedata.category(text[place]).startswith("M")


def cut(data: st.DataObject, text: GridText, first: int, last: int) -> tuple[int, int]:
    """A span from inside unit ``first`` to inside unit ``last`` that parts no mark from its base."""
    starts = [
        place for place in range(text.starts[first], text.ends[first]) if place == text.starts[first] or not parts_a_mark(text.text, place)
    ]
    start = data.draw(st.sampled_from(starts))
    inside = range(max(start, text.starts[last]) + 1, text.ends[last] + 1)
    ends = [place for place in inside if place == text.ends[last] or not parts_a_mark(text.text, place)]
    return start, data.draw(st.sampled_from(ends))


@BOTH
@settings(max_examples=60, deadline=None)
@given(PROSE, st.data())
def test_any_span_projects_onto_itself_where_the_text_is_its_own_translation(config: DecodeConfig, text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(grid(text).starts) - 1))
    last = data.draw(st.integers(first, len(grid(text).starts) - 1))
    fragment = cut(data, grid(text), first, last)
    span = onto_itself(text, [fragment], config)
    assert offsets(span) == [fragment] and span.reason is None
    assert 0.5 < span.confidence <= 1


@BOTH
@settings(max_examples=40, deadline=None)
@given(PROSE, st.data())
def test_a_discontinuous_span_projects_onto_itself_if_units_lie_between(config: DecodeConfig, text: str, data: st.DataObject) -> None:
    fragments: Fragments = []
    first = 0
    while first < len(grid(text).starts):
        last = min(first + data.draw(st.integers(0, 2)), len(grid(text).starts) - 1)
        fragments.append(cut(data, grid(text), first, last))
        first = last + data.draw(st.integers(2, 4))
    order = data.draw(st.permutations(fragments))
    assert offsets(onto_itself(text, order, config)) == fragments


def test_the_span_of_a_word_that_is_its_own_translation_is_all_but_certain() -> None:
    text = "dolor de pecho, fiebre (39,5) y tos-seca"
    for word in ["fiebre", "pecho", "(39,5)", "tos-seca", "dolor de pecho"]:
        span = onto_itself(text, [on(word, text)], OURS)
        assert offsets(span) == [on(word, text)] and span.confidence > 0.8


@BOTH
@settings(max_examples=60, deadline=None)
@given(PROSE, PROSE, st.data(), st.integers(1, 4))
def test_whatever_the_alignment_offsets_are_sound(config: DecodeConfig, source: str, target: str, data: st.DataObject, zero: int) -> None:
    theirs = grid(target)
    n, m = len(grid(source).starts), len(theirs.starts)
    random = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    band = band_around(np.sort(random.uniform(-2, m + 2, n)), m, BandConfig(full=0, zero=zero))
    plan, forward, backward = random.random((3, n, m)) ** 2
    edges = random.normal(size=(4, 4)) * 5
    borders = sorted(data.draw(st.sets(st.integers(0, len(source)), min_size=2, max_size=6)))
    found = mentions({"d": source}, ("d", "T1", list(zip(borders[::2], borders[1::2], strict=False))))
    texts = pair_texts({"d": source}, {"d": target}, edges, {"d": random.integers(0, 9, m).tolist()})
    table = gather(found, texts, [plan_row("d", plan, band)], [posterior_row("d", forward, backward)])
    (span,) = decoded(table, found, source, target, config, corpus_says({}, random.normal(size=(4, 4)) * 5))
    assert (span.reason is None) == bool(span.starts) and len(span.starts) == len(span.ends)
    assert 0 <= span.confidence <= 1 and (span.confidence == 0 or not span.reason)
    for start, end in offsets(span):
        assert 0 <= start < end <= len(target) and target[start:end].strip() == target[start:end]
        assert start in theirs.starts or not parts_a_mark(target, start)
        assert end in theirs.ends or not parts_a_mark(target, end)
    assert all(left < right for left, right in zip(span.ends, span.starts[1:], strict=False))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_a_mention_goes_to_its_likeliest_candidate_with_its_probability(share: list[float]) -> None:
    row = candidate_row(*[(j, j) for j in range(len(share))], share=share)
    placed = place_fragments(candidate_table(row), nothing_known(), DecodeConfig(weights=SpanWeights(share=1.0), least_evidence=0))
    odds = np.exp(np.array(share, dtype=np.float32))
    ((name, place),) = placed.items()
    assert name == ("d", "T1", 0) and place.first == place.last
    assert odds[place.first] == odds.max() and place.confidence == pytest.approx(odds.max() / odds.sum())


def test_a_choice_is_the_part_of_the_pool_of_a_mention_whose_surface_comes_again_in_its_document() -> None:
    rows = [
        candidate_row((0, 0), (0, 1)),
        candidate_row(mention="T2"),
        candidate_row((3, 4), mention="T3", source="tos"),
        candidate_row((6, 7), (6, 6), mention="T4", place=7),
        candidate_row((0, 0), mention="T1", document="e", source="tos"),
    ]
    found = choices(pool(candidate_table(*rows)), np.array([0.25, 0.75, 1.0, 0.8, 0.2, 1.0]))
    assert [(choice.row, choice.surface, choice.place, choice.best) for choice in found] == [
        (0, ("d", "fiebre"), 0, 1),
        (3, ("d", "fiebre"), 7, 3),
    ]
    assert [choice.span(choice.best) for choice in found] == [(0, 1), (6, 7)]


@pytest.mark.parametrize(("joint", "expected"), [(True, [2, 6]), (False, [2, 2])])
def test_mentions_of_one_surface_share_out_its_occurrences_if_they_may(joint: bool, expected: list[int]) -> None:
    spans = [(2, 2), (6, 6)]
    rows = [candidate_row(*spans, mention=f"T{place}", place=place, share=[1.0, 0.5]) for place in (0, 4)]
    placed = place_fragments(candidate_table(*rows), nothing_known(), DecodeConfig(joint=joint, least_evidence=0))
    assert [placed["d", mention, 0].first for mention in ("T0", "T4")] == expected


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_the_order_of_the_rows_changes_nothing(data: st.DataObject) -> None:
    text = "tos y fiebre, tos y fiebre, tos"
    words = [(0, 3), (6, 12), (14, 17), (20, 26), (28, 31), (0, 12), (14, 26)]
    table = gather_identity(mentions({"d": text}, *[("d", f"T{n}", [word]) for n, word in enumerate(words)]), {"d": text}, 0.5, 9)
    order = data.draw(st.permutations(range(table.num_rows)))
    for config in (OURS, PAPER):
        placed, again = (place_fragments(rows, nothing_known(), config) for rows in (table, table.take(order)))
        assert {name: (at.first, at.last) for name, at in again.items()} == {name: (at.first, at.last) for name, at in placed.items()}


@BOTH
def test_where_no_reranker_judges_the_columns_that_are_named_suffice(config: DecodeConfig) -> None:
    rows = [candidate_row((0, 0), (2, 3), mention=name, place=place, share=[1.0, 2.0], paper=(2, 3)) for place, name in enumerate("ab")]
    table, known = candidate_table(*rows), corpus_says({("fiebre", "2-3"): 3.0})
    assert place_fragments(table.select(PLACED_BY), known, config) == place_fragments(table, known, config)


@BOTH
def test_a_shard_without_any_candidates_places_nothing(config: DecodeConfig) -> None:
    assert place_fragments(candidate_table(), nothing_known(), config) == {}
    assert place_fragments(candidate_table(candidate_row()), nothing_known(), config) == {}


def test_the_papers_decoder_takes_the_papers_span_and_knows_no_doubt() -> None:
    rows = [candidate_row((0, 0), mention="T1", paper=(2, 4)), candidate_row((1, 1), mention="T2")]
    assert place_fragments(candidate_table(*rows), nothing_known(), PAPER) == {("d", "T1", 0): Placed(2, 4, 1.0)}


@pytest.mark.parametrize(
    ("owned", "backward", "source", "least", "projected"),
    [
        (1.0, 0.0, "fiebre", 0.5, True),
        (1.0, 0.0, "fiebre", 0.51, False),
        (0.0, 1.0, "fiebre", 0.5, True),
        (0.0, 1.0, "fiebre alta", 0.26, False),
        (0.5, 1.0, "fiebre alta", 0.5, True),
        (0.0, 0.0, "fiebre", 0.0, True),
    ],
)
def test_a_mention_abstains_where_posterior_and_plan_see_too_little_of_it_in_its_span(
    owned: float, backward: float, source: str, least: float, projected: bool
) -> None:
    table = candidate_table(candidate_row((0, 0), source=source, owned=[owned], backward=[backward], length=[1.0]))
    assert bool(place_fragments(table, nothing_known(), DecodeConfig(least_evidence=least))) == projected


def test_a_tagger_alone_projects_nothing() -> None:
    source, target = {"d": "uno"}, {"d": "a b c"}
    found = mentions(source, ("d", "T1", [(0, 3)]))
    seen = {"d": {"DISEASE": np.array([0.0, 0.0, 1.0])}}
    for config in (OURS, PAPER):
        table = gather(found, pair_texts(source, target), [plan_row("d", np.zeros((1, 3)))], support=seen)
        assert decoded(table, found, "uno", "a b c", config, nothing_known()) == [Span([], [], 0.0, "no_aligned_unit")]


@pytest.mark.parametrize(
    ("target", "shares", "mention", "expected"),
    [
        ("iron-deficiency anemia", [[0, 0, 0, 1], [0.3, 0, 0.7, 0]], "ferropenica", "iron-deficiency"),
        ("iron deficiency anemia", [[0, 0, 1], [0.5, 0.5, 0]], "ferropenica", "iron deficiency"),
        ("iron-deficiency anemia", [[0, 0, 0, 1], [0.3, 0, 0.7, 0]], "anemia ferropenica", "iron-deficiency anemia"),
        ("( anemia ) of iron", [[0, 1, 0, 0, 0], [0, 0, 0, 0, 1]], "anemia", "anemia"),
    ],
)
def test_a_mention_goes_where_its_mass_is_and_takes_hyphenated_words_whole(
    target: str, shares: list[list[float]], mention: str, expected: str
) -> None:
    source = "anemia ferropenica"
    assert along(source, target, shares, on(mention, source))[0] == [expected]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([[0.9, 0.0, 0.9, 0.0, 0.0, 0.9]], "a b c"),
        ([[0.9, 0.0, 0.0, 0.5, 0.5, 0.0]], "d e"),
        ([[0.0, 0.9, 0.0, 0.0, 0.0, 0.0]], "b"),
    ],
)
def test_the_papers_decoder_reads_the_plan(shares: list[list[float]], expected: str) -> None:
    assert along("uno", "a b c d e f", shares, (0, 3), config=PAPER)[0] == [expected]


@BOTH
@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        ([(0, 2), (9, 11)], ["ab", "gh"]),
        ([(9, 11), (0, 2)], ["ab", "gh"]),
        ([(0, 2), (3, 5)], ["ab cd"]),
        ([(3, 5), (0, 2)], ["ab cd"]),
        ([(0, 2), (6, 8), (3, 5)], ["ab cd ef"]),
        ([(4, 5), (3, 4)], ["cd"]),
    ],
)
def test_fragments_that_meet_in_the_target_become_one_in_text_order(
    config: DecodeConfig, fragments: Fragments, expected: list[str]
) -> None:
    text = "ab cd ef gh"
    assert [text[start:end] for start, end in offsets(onto_itself(text, fragments, config))] == expected


def test_a_fragment_without_counterpart_is_left_out_and_the_least_certain_speaks_for_all() -> None:
    source, target = "uno dos tres", "one x three"
    placed = {("d", "T1", 0): Placed(0, 0, 0.9), ("d", "T1", 2): Placed(2, 2, 0.6)}
    span = decode_mention("d", "T1", [0, 4, 8], [3, 7, 12], grid(source), grid(target), placed)
    assert span == Span([0, 6], [3, 11], 0.6)


@BOTH
@pytest.mark.parametrize(
    ("shares", "fragment", "reason"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], (3, 5), "no_source_unit"),
        ([[0.0, 0.0], [0.0, 1.0]], (0, 3), "no_aligned_unit"),
    ],
)
def test_what_cannot_be_projected_is_an_abstention_with_a_reason(
    config: DecodeConfig, shares: list[list[float]], fragment: tuple[int, int], reason: str
) -> None:
    assert along("uno  dos", "one two", shares, fragment, config=config)[1] == Span([], [], 0.0, reason)


@pytest.mark.parametrize("wrong", [{"decoder": "longest"}, {"least_kept": -0.1}, {"least_kept": 1.1}, {"threshold": 0.25}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DecodeConfig.model_validate(wrong)
