import random

import pytest

from drill.damage import CASES, CHANGES, delete, flip, truncate

CONTENT = bytes(range(64))


@pytest.mark.parametrize("seed", range(20))
def test_each_damage_is_what_it_is_called(seed: int) -> None:
    cut, flipped = truncate(CONTENT, random.Random(seed)), flip(CONTENT, random.Random(seed))
    assert 0 < len(cut) < len(CONTENT) and CONTENT.startswith(cut)
    assert sum((one ^ other).bit_count() for one, other in zip(flipped, CONTENT, strict=True)) == 1
    assert delete(CONTENT, random.Random(seed)) is None


def test_every_case_has_its_damage() -> None:
    assert {how for how, _, _ in CASES} == {*CHANGES}
