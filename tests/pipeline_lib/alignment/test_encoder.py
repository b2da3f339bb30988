import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment import encoder as module
from pipeline_lib.alignment.encoder import SHIFTS, EncoderConfig, StudentEncoder, TypeTables
from pipeline_lib.alignment.features import SIDES
from tests.pipeline_lib.alignment.pupils import DICTIONARY, small_student, types

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTHS = {"spelling": 8, "lexicon": 6, "sentence": 5, "phrase": 4, "neighbour": 3}


@given(st.integers(1, 6), st.sampled_from(SHIFTS))
@settings(deadline=None)
def test_a_shifted_text_holds_its_neighbours_and_nothing_past_its_ends(units: int, shift: int) -> None:
    rows = torch.arange(1, units + 1)[:, None].float()
    found = module._shifted(rows, shift)[:, 0].tolist()
    assert found == [unit + shift + 1 if 0 <= unit + shift < units else 0 for unit in range(units)]


def test_a_window_is_the_unit_length_mean_of_what_lies_around() -> None:
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [5.0, 0.0]])
    found = module._window(rows, torch.ones(3))
    sums = torch.tensor([[1.0, 1.0], [1.0, 3.0], [5.0, 3.0], [5.0, 2.0]])
    assert torch.allclose(found, sums / sums.norm(dim=1, keepdim=True))
    assert torch.equal(module._window(torch.zeros(2, 2), torch.ones(3)), torch.zeros(2, 2))


def test_tables_are_cut_to_nothing_for_a_type_that_was_never_met() -> None:
    tables = TypeTables(2, WIDTHS)
    tables.fill({"lexicon": np.ones((2, 6), dtype=np.float32), "salience": np.full((2, 1), 0.5, dtype=np.float32)})
    found = tables.read("lexicon", torch.tensor([2, 0, 1]))
    assert found.dtype == torch.float32 and found.tolist() == [[0.0] * 6, [1.0] * 6, [1.0] * 6]
    assert tables.read("salience", torch.tensor([0, 2]))[:, 0].tolist() == [0.5, 0.0]


def test_vectors_are_as_wide_as_their_blocks() -> None:
    model = StudentEncoder(EncoderConfig(types=(3, 2), widths=WIDTHS, windows=(2, 1), hidden=8, layers=1, reach=1))
    assert model.width == 8 + 6 + 4 * 3 + 2 * (5 + 4)
    found = model(torch.tensor([0, 3]), torch.ones(2, 8), "source")
    assert found.shape == (2, model.width) and torch.allclose(found.norm(dim=1), torch.ones(2), atol=1e-5)


def test_the_correction_starts_at_zero_and_sees_the_neighbours_of_a_unit() -> None:
    student, words = small_student(), types(list(DICTIONARY)[8:20])
    far = ["tos", *words[1:]]
    with torch.no_grad():
        before, other = student.encode(words, "source"), student.encode(far, "source")
        student.model.inward.bias.normal_()
        assert torch.equal(before, student.encode(words, "source"))
        student.model.outward.weight.normal_(std=0.1)
        moved = student.encode(words, "source") - student.encode(far, "source")
    plain = before - other
    # The windows of the views reach every unit of so short a text; the token block of unit 3 only its neighbours up to 2 away.
    token = slice(0, student.model.config.widths["spelling"])
    assert torch.allclose(plain[3, token], torch.zeros(1), atol=0.05) and moved[3, token].abs().max() > plain[3, token].abs().max()


def test_both_sides_share_all_that_is_learnt() -> None:
    names = dict(small_student().model.named_parameters())
    assert names and not any(side in name for name in names for side in SIDES)
