"""What candidates look like."""

import pytest

from pipeline_lib.supervision.characters import CHARACTERS, alike, character_features, kind
from tests.pipeline_lib.supervision.pools import Mention, grid, pooled


def rows(source: str, target: str, units: tuple[int, int], *spans: tuple[int, int]) -> list[dict[str, float]]:
    found = pooled(Mention("a", "T1", units, list(spans), [1.0] * 20))
    values = character_features(found, {"a": grid(source)}, {"a": grid(target)})
    return [dict(zip(CHARACTERS, row, strict=True)) for row in values.tolist()]


def test_it_never_matters_which_word_it_is() -> None:
    one = rows("fiebre alta , tos", "high fever , cough", (0, 1), (0, 1), (0, 2), (3, 3))
    other = rows("zzzzzz zzzz , zzz", "yyyy yyyyy , yyyyy", (0, 1), (0, 1), (0, 2), (3, 3))
    assert [{**row, "alike_first": 0, "alike_last": 0} for row in one] == [{**row, "alike_first": 0, "alike_last": 0} for row in other]


def test_outside_the_text_is_a_kind_of_its_own() -> None:
    whole, inner = rows("a b c", "a b c", (0, 0), (0, 2), (1, 1))
    assert whole["kind_before"] == whole["kind_after"] == 0 < inner["kind_before"]
    assert whole["size_before"] == whole["size_after"] == 0


def test_ends_inside_a_word_touch_what_lies_beside() -> None:
    first, last, both = rows("x", "non-acute pain", (0, 0), (0, 0), (2, 2), (1, 1))
    assert [row["touches_before"] for row in (first, last, both)] == [0, 1, 1]
    assert [row["touches_after"] for row in (first, last, both)] == [1, 0, 1]


def test_a_span_across_sentences_says_so() -> None:
    across, within = rows("x", "It ends. Then on", (0, 0), (1, 3), (3, 4))
    assert (across["breaks_inside"], within["breaks_inside"]) == (1, 0)


@pytest.mark.parametrize(("one", "other", "share"), [("Renal", "renal", 1.0), ("fiebre", "fever", 1 / 6), ("tos", "cough", 0.0)])
def test_alike_is_the_share_of_a_common_beginning(one: str, other: str, share: float) -> None:
    assert alike(one, other) == pytest.approx(share) == alike(other, one)


def test_kinds_tell_letters_capitals_digits_and_signs_apart() -> None:
    assert len({kind(surface) for surface in ("pain", "Pain", "12", "-", ",", ".", "(", "%")}) == 8
