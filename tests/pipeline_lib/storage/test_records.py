"""A sealed record is read as it was written, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.storage.records import render, seal, unseal

FACTS = {"rows": 3, "files": {}, "made_of": {"config": {"reg": 0.1}, "inputs": ["a"]}}


def test_what_was_sealed_comes_back() -> None:
    told = unseal(render(seal(FACTS)).encode())
    assert {key: told[key] for key in FACTS} == FACTS


@given(st.data())
def test_no_flipped_bit_and_no_cut_goes_unnoticed(data: st.DataObject) -> None:
    content = bytearray(render(seal(FACTS)).encode())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    whole = render(seal(FACTS)).encode()
    for damaged in (bytes(content), whole[: data.draw(st.integers(0, len(whole) - 1))]):
        with pytest.raises(ValueError):  # JSON's, Unicode's, or ours
            unseal(damaged)


@pytest.mark.parametrize("content", [b"[]", b"null", b"{}", b'{"rows": 3}', b'{"rows": 3, "seal": 1}'])
def test_other_json_is_no_record(content: bytes) -> None:
    with pytest.raises(ValueError, match="changed after it was written"):
        unseal(content)
