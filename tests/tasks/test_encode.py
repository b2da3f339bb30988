import pytest

from data_contracts import UNIT_VECTORS
from pipeline_lib.encoding.vectors import InOrder
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.encode import encode, has_encoded
from tests.tasks.chain import Chain, fingerprint, other
from tests.tasks.transformers import ENCODE, SOURCES, Made


def test_there_is_a_vector_for_every_unit_of_the_shard(made: Made, chain: Chain) -> None:
    for (_, lang, shard), ref in made.vectors.items():
        parts = list(made.store.scan(ref))
        for part in parts:
            UNIT_VECTORS.check(part)
        found = InOrder(parts)
        for document, text in chain.texts[lang, shard].read(chain.store).items():
            assert len(found.of(document)) == len(text.starts)


def test_a_second_call_encodes_nothing(made: Made, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.encode.load_encoder", None)
    again = encode.fn(made.root, chain.texts["es", 0], made.encoders["token"], SOURCES["token"], ENCODE)
    assert again.reused and again.key == made.vectors["token", "es", 0].key
    assert has_encoded(made.root, chain.texts["es", 0], made.encoders["token"], SOURCES["token"], ENCODE)


def test_it_depends_on_encoder_hidden_state_window_and_precision_and_not_on_device_or_batch(made: Made, chain: Chain) -> None:
    texts, encoder, source = chain.texts["es", 0], made.encoders["token"], SOURCES["token"]

    def of(encoder: ArtifactRef = encoder, precision: str = "auto", **changes: object) -> str:
        config = ENCODE.model_copy(update={"precision": precision, "tokens": 77, "device": "auto"})
        return fingerprint(lambda: encode.fn(made.root, texts, encoder, source.model_copy(update=changes), config))

    first = made.vectors["token", "es", 0].fingerprint
    assert of() == of(model="elsewhere") == first
    changed = {of(other(encoder)), of(precision="bfloat16"), of(hidden_state=1), of(window=64), of(overlap=8)}
    assert len(changed) == 5 and first not in changed
