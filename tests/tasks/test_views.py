from data_contracts import COST_MATRICES
from pipeline_lib.encoding.views import ViewsConfig
from tests.tasks.chain import Chain, fingerprint
from tests.tasks.transformers import Made, call_see


def test_costs_are_of_every_document_in_the_shape_of_both_texts(made: Made, chain: Chain) -> None:
    for shard, ref in made.costs.items():
        table = made.store.read(ref)
        COST_MATRICES.check(table)
        source, target = (chain.texts[lang, shard].read(chain.store) for lang in ("es", "en"))
        assert ref.shard == chain.costs[shard].shard and ref.key != chain.costs[shard].key
        assert [row["document"] for row in table.to_pylist()] == list(source)
        for row in table.select(["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist():
            assert (row["rows"], row["columns"]) == (len(source[row["document"]].starts), len(target[row["document"]].starts))
            assert (row["source_lang"], row["target_lang"]) == ("es", "en")


def test_a_second_call_sees_nothing_and_weights_matter(made: Made, chain: Chain) -> None:
    assert call_see(chain, made.root, made.vectors, 0).reused
    first = made.costs[0].fingerprint
    assert fingerprint(lambda: call_see(chain, made.root, made.vectors, 0, ViewsConfig(token=0.5))) != first
