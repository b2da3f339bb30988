from data_contracts import UNITS
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.units import make_units
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken
from tests.tasks.transformers import Made


def call(chain: Chain) -> ArtifactRef:
    return make_units.fn(chain.root, chain.rows["es", 0].documents)


def test_units_keep_their_contract(chain: Chain) -> None:
    for texts in chain.texts.values():
        assert_kept(chain, texts.units, UNITS)


def test_there_is_a_grid_for_every_document_of_the_shard(chain: Chain) -> None:
    for cell, texts in chain.texts.items():
        documents = chain.store.read(chain.rows[cell].documents)["document"].to_pylist()
        assert chain.store.read(texts.units)["document"].to_pylist() == documents
        assert texts.units.shard == chain.rows[cell].documents.shard


def test_a_second_call_makes_no_grid(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.texts["es", 0].units, "tasks.units.units_table")


def test_it_depends_on_its_documents(chain: Chain) -> None:
    documents, first = chain.rows["es", 0].documents, chain.texts["es", 0].units.fingerprint
    assert fingerprint(lambda: make_units.fn(chain.root, other(documents))) != first
    assert fingerprint(lambda: make_units.fn(chain.root, taken(documents))) == first
    assert fingerprint(lambda: make_units.fn("elsewhere", documents)) == first


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)


def test_with_a_tokenizer_the_units_are_its_pieces(made: Made, chain: Chain) -> None:
    documents, words = chain.rows["es", 0].documents, chain.texts["es", 0].units
    pieces = make_units.fn(made.root, documents, made.encoders["phrase"])
    table, coarse = made.store.read(pieces), chain.store.read(words)
    UNITS.check(table)
    assert pieces.fingerprint != words.fingerprint and table["document"].to_pylist() == coarse["document"].to_pylist()
    for fine, plain in zip(table["starts"].to_pylist(), coarse["starts"].to_pylist(), strict=True):
        assert len(fine) > len(plain)
    assert make_units.fn(made.root, documents, made.encoders["phrase"]).reused
