from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.spelling import CLOSING, OPENING, hyphen_cuts, spelling, spelling_features
from tests.pipeline_lib.projection.pairs import grid

PIECES = st.sampled_from(["ab", "c", "3", "2,5", "2.5", "(", ")", "[", "]", ",", "-", "\u2011", " ", " ", "\n"])
WRITTEN = st.lists(PIECES, min_size=1, max_size=12).map("".join).filter(str.strip)


def surfaces(text: GridText, units: range) -> list[str]:
    return [text.text[text.starts[unit] : text.ends[unit]] for unit in units]


def unpaired(found: list[str]) -> int:
    """Brackets without partner, whatever their form."""
    opened = alone = 0
    for surface in found:
        if surface in OPENING:
            opened += 1
        elif surface in CLOSING and opened:
            opened -= 1
        elif surface in CLOSING:
            alone += 1
    return opened + alone


def numbers(text: GridText, units: range) -> Counter[str]:
    return Counter(kind for kind in text.types[units.start : units.stop] if kind[0].isdigit())


def some_span(data: st.DataObject, text: GridText) -> range:
    first = data.draw(st.integers(0, len(text.starts) - 1))
    return range(first, data.draw(st.integers(first + 1, len(text.starts))))


def features_of(mention: range, spans: list[range], source: GridText, target: GridText) -> list[tuple[float, float, float, float]]:
    ours, theirs = spelling(source), spelling(target)
    return [spelling_features((mention.start, mention.stop), (span.start, span.stop), ours, theirs) for span in spans]


@settings(max_examples=200, deadline=None)
@given(WRITTEN, WRITTEN, st.data())
def test_features_are_what_a_reader_would_count(source: str, target: str, data: st.DataObject) -> None:
    ours, theirs = grid(source), grid(target)
    units = some_span(data, ours)
    spans = [range(i, j) for i in range(len(theirs.starts)) for j in range(i + 1, len(theirs.starts) + 1)]
    of_mention = surfaces(ours, units)
    for got, span in zip(features_of(units, spans, ours, theirs), spans, strict=True):
        of_span = surfaces(theirs, span)
        ratio = abs(np.log(len("".join(of_span)) / len("".join(of_mention))))
        assert got == pytest.approx(
            (
                0 if unpaired(of_mention) else unpaired(of_span),
                abs(of_span.count(",") - of_mention.count(",")),
                float(numbers(ours, units) != numbers(theirs, span)),
                ratio,
            )
        )


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("a b", 0),
        ("(a b)", 0),
        ("a (b", 1),
        ("a) b", 1),
        ("a) (b", 2),
        ("((a) b", 1),
        ("(a [b) c]", 0),
        ("a] (b [c] d", 2),
        ("a “b” «c", 1),
    ],
)
def test_brackets_without_partner_are_counted_nested_and_crossed(span: str, expected: int) -> None:
    ((alone, *_),) = features_of(range(1), [range(len(grid(span).starts))], grid("x"), grid(span))
    assert alone == expected


@pytest.mark.parametrize(
    ("mention", "span", "differ"),
    [
        ("2,5 mg", "2.5 mg", False),
        ("3 de 4", "4 of 3", False),
        ("3", "33", True),
        ("3 3", "3", True),
        ("tipo 2", "type", True),
        ("tipo", "type", False),
    ],
)
def test_numbers_differ_where_one_is_missing_or_another_stands(mention: str, span: str, differ: bool) -> None:
    ours, theirs = grid(mention), grid(span)
    ((_, _, numbers, _),) = features_of(range(len(ours.starts)), [range(len(theirs.starts))], ours, theirs)
    assert numbers == differ


def joined_at(text: GridText, unit: int) -> bool:
    """Whether a unit is a hyphen that touches both its neighbours."""
    if not 0 < unit < len(text.starts) - 1 or surfaces(text, range(unit, unit + 1))[0] not in "-\u2010\u2011":
        return False
    return text.ends[unit - 1] == text.starts[unit] and text.ends[unit] == text.starts[unit + 1]


def cuts_of(source: str, units: range, target: str, spans: list[tuple[int, int]], left: int, share: list[float]) -> list[float]:
    ours, theirs, mention = spelling(grid(source)), spelling(grid(target)), (units.start, units.stop)
    return [hyphen_cuts(mention, (first, last + 1), left, np.array(share, np.float64), ours, theirs, 0.1) for first, last in spans]


@settings(max_examples=200, deadline=None)
@given(WRITTEN, WRITTEN, st.data(), st.integers(0, 3))
def test_cuts_are_ends_at_a_hyphen_with_something_of_the_mention_beyond_and_ends_on_one_unless_the_mentions_own(
    source: str, target: str, data: st.DataObject, left: int
) -> None:
    ours, theirs = grid(source), grid(target)
    units = some_span(data, ours)
    left = min(left, len(theirs.starts))
    share = [data.draw(st.sampled_from([0.0, 0.1, 0.2, 0.9])) for _ in range(left, len(theirs.starts))]
    reached = {left + number: value for number, value in enumerate(share)}
    spans = [(i, j) for i in range(len(theirs.starts)) for j in range(i, len(theirs.starts))]
    expected = [
        sum(
            [
                joined_at(theirs, first - 1) and reached.get(first - 2, 0.0) > 0.1,
                joined_at(theirs, last + 1) and reached.get(last + 2, 0.0) > 0.1,
                joined_at(theirs, first) and not joined_at(ours, units[0]),
                joined_at(theirs, last) and not joined_at(ours, units[-1]),
            ]
        )
        for first, last in spans
    ]
    assert cuts_of(source, units, target, spans, left, share) == expected


@pytest.mark.parametrize(
    ("target", "share", "span", "expected"),
    [
        ("iron-deficiency anemia", [0.2, 0, 0.8, 0], (2, 2), 1),
        ("iron-deficiency anemia", [0.1, 0, 0.8, 0], (2, 2), 0),
        ("iron-deficiency anemia", [0.2, 0, 0.8, 0], (0, 2), 0),
        ("iron-deficiency anemia", [0.2, 0, 0.8, 0], (1, 2), 1),
        ("iron-low-rich", [0.9, 0, 0.9, 0, 0.9], (2, 2), 2),
        ("iron - poor", [0.9, 0, 0.9], (0, 0), 0),
        ("iron -poor", [0.9, 0, 0.9], (0, 0), 0),
        ("iron- poor", [0.9, 0, 0.9], (0, 0), 0),
        ("iron\u2010poor", [0.9, 0, 0.9], (0, 0), 1),
        ("iron/poor", [0.9, 0, 0.9], (0, 0), 0),
    ],
)
def test_only_a_hyphen_written_together_on_both_sides_joins(target: str, share: list[float], span: tuple[int, int], expected: int) -> None:
    assert cuts_of("hierro", range(1), target, [span], 0, share) == [expected]
