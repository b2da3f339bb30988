import pytest

from data_contracts import UNIT_VECTORS
from pipeline_lib.encoding.vectors import InOrder
from tasks.encode import encode
from tasks.quantise import quantise
from tests.tasks.chain import Chain
from tests.tasks.transformers import ENCODE, SOURCES, Made


def test_a_quantised_encoder_is_made_once_and_encodes_about_the_same(made: Made, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = quantise.fn(made.root, made.encoders["token"], SOURCES["token"])
    with monkeypatch.context() as patch:
        patch.setattr("tasks.quantise.write_int8", None)
        assert quantise.fn(made.root, made.encoders["token"], SOURCES["token"]).reused
    rounded, whole = encode.fn(made.root, chain.texts["es", 0], ref, SOURCES["token"], ENCODE), made.vectors["token", "es", 0]
    assert rounded.fingerprint != whole.fingerprint
    table = made.store.read(rounded)
    UNIT_VECTORS.check(table)
    assert set(table["precision"].to_pylist()) == {"int8"}
    ours, theirs = InOrder([table]), InOrder(made.store.scan(whole))
    for document in table["document"].to_pylist():
        assert (ours.of(document) * theirs.of(document)).sum(axis=1).min() > 0.99
