from pathlib import Path

from tasks.texts import read_all, texts_fingerprints
from tests.tasks.chain import Chain


def test_a_shard_is_read_with_its_own_units(chain: Chain) -> None:
    texts = chain.texts["es", 1].read(chain.store)
    assert list(texts) == ["case-03"]
    text = texts["case-03"]
    assert text.text.encode() == (Path(chain.corpus) / "es" / "case-03.txt").read_bytes()
    (row,) = chain.store.read(chain.texts["es", 1].units).to_pylist()
    assert (list(text.starts), list(text.ends)) == (row["starts"], row["ends"])


def test_shards_are_read_in_the_order_given(chain: Chain) -> None:
    shards = chain.whole("en")
    names = [name for shard in shards for name in chain.store.read(shard.documents, ["document"])["document"].to_pylist()]
    assert list(read_all(chain.store, shards)) == names
    assert next(iter(read_all(chain.store, reversed(shards)))) == "case-03" != names[0]


def test_texts_are_known_by_their_documents_and_their_units(chain: Chain) -> None:
    first, second = chain.whole("es")
    expected = [first.documents.fingerprint, first.units.fingerprint, second.documents.fingerprint, second.units.fingerprint]
    assert texts_fingerprints([first, second]) == expected
    assert len(set(expected)) == 4
