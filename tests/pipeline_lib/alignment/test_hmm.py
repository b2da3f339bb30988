from itertools import product

import numpy as np
import pytest

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.hmm import EMPTY_WORD, JUMPS, forward_backward, jump_matrix, posterior_alone


def by_enumeration(emission: Floats, null: Floats, move: Floats) -> tuple[Floats, Floats]:
    """Posteriors and expected moves, summed over every path of states (position, whether it translates)."""
    m, n = emission.shape
    states = list(product(range(n), (True, False)))
    posterior, moves, total = np.zeros((m, n)), np.zeros((n, n)), 0.0
    for path in product(states, repeat=m):
        weight = 1.0 / n
        for j, (i, translates) in enumerate(path):
            if j and translates:
                weight *= move[path[j - 1][0], i]
            elif j and path[j - 1][0] != i:
                weight = 0.0
            weight *= (1 - EMPTY_WORD) * emission[j, i] if translates else EMPTY_WORD * null[j]
        total += weight
        for j, (i, translates) in enumerate(path):
            posterior[j, i] += weight * translates
            if j and translates:
                moves[path[j - 1][0], i] += weight
    return posterior / total, moves / total


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 3), (2, 2), (3, 2), (2, 3), (4, 2), (3, 3)])
def test_posteriors_and_expected_moves_are_those_of_all_paths_summed(m: int, n: int) -> None:
    random = np.random.default_rng(10 * m + n)
    emission, null, jumps = random.random((m, n)), random.random(m), random.random(JUMPS)
    move = jump_matrix(n, jumps)
    expected_posterior, expected_moves = by_enumeration(emission, null, move)
    posterior, moves = forward_backward(emission, null, move)
    assert np.allclose(posterior, expected_posterior, rtol=1e-9)
    assert np.allclose(moves, expected_moves, rtol=1e-9)
    assert np.array_equal(posterior_alone(emission, null, move), posterior)


def test_posteriors_stay_shares_on_long_texts() -> None:
    random = np.random.default_rng(0)
    posterior, moves = forward_backward(random.random((400, 90)) * 1e-6, random.random(400) * 1e-6, jump_matrix(90, random.random(JUMPS)))
    assert np.isfinite(posterior).all() and (posterior >= 0).all()
    assert (posterior.sum(axis=1) <= 1 + 1e-9).all() and posterior.sum(axis=1).min() > 0.1
    assert moves.sum() == pytest.approx(posterior[1:].sum())


@pytest.mark.parametrize("n", [1, 5, 40])
def test_moves_from_a_position_are_shares_by_jump_width(n: int) -> None:
    jumps = np.arange(1.0, JUMPS + 1)
    move = jump_matrix(n, jumps)
    assert np.allclose(move.sum(axis=1), 1)
    reach = JUMPS // 2
    for i, k in product(range(n), range(n)):
        sharing = max(i - reach + 1, 1) if k - i <= -reach else max(n - i - reach, 1) if k - i >= reach else 1
        assert move[i, k] / move[i, i] == pytest.approx(jumps[np.clip(k - i, -reach, reach) + reach] / jumps[reach] / sharing)
