from collections.abc import Callable

import pytest

from data_contracts import COST_MATRICES, POSTERIORS
from pipeline_lib.alignment.cost import CostConfig
from tasks.cost import Costs, cost
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> Costs:
    arguments = {
        "root": chain.root,
        "shard": chain.costs[0].shard,
        "source": chain.embeddings["es", 0],
        "target": chain.embeddings["en", 0],
        "segments": chain.segments[0],
        "teachers": chain.teachers,
        "config": CostConfig(),
    }
    return cost.fn(**{**arguments, **changes})


def test_costs_and_posteriors_keep_their_contracts(chain: Chain) -> None:
    for shard, made in chain.costed.items():
        assert_kept(chain, made.main, COST_MATRICES)
        assert_kept(chain, made.posteriors, POSTERIORS)
        assert made.main.shard == made.posteriors.shard == chain.segments[shard].shard


def test_posteriors_are_of_the_same_documents_within_their_texts(chain: Chain) -> None:
    columns = ["document", "source_lang", "target_lang"]
    for made in chain.costed.values():
        costs, found = chain.store.read(made.main).to_pylist(), chain.store.read(made.posteriors).to_pylist()
        assert [[row[name] for name in columns] for row in found] == [[row[name] for name in columns] for row in costs]
        for size, row in zip(costs, found, strict=True):
            assert min(row["rows"]) >= 0 and max(row["rows"]) < size["rows"]
            assert min(row["columns"]) >= 0 and max(row["columns"]) < size["columns"]
            assert max(row["forward"]) > 0.5 and max(row["backward"]) > 0.5


def test_rows_are_source_units_and_columns_target_units(chain: Chain) -> None:
    sides = [chain.texts[lang, 0].read(chain.store) for lang in ("es", "en")]
    rows = chain.store.read(chain.costs[0], ["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist()
    assert len(rows) == 3
    for row in rows:
        assert (row["rows"], row["columns"]) == tuple(len(side[row["document"]].starts) for side in sides)
        assert (row["source_lang"], row["target_lang"]) == ("es", "en")


def test_documents_that_one_side_lacks_have_no_costs(own: Chain) -> None:
    made = call(own, target=own.embeddings["en", 1])
    assert own.store.read(made.main).num_rows == own.store.read(made.posteriors).num_rows == 0


def test_a_second_call_costs_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.costs[0], "tasks.cost.cost_tables")
    assert_reused(lambda: call(chain).posteriors, chain.posteriors[0], "tasks.cost.cost_tables")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": CostConfig(context=0.2)},
        lambda chain: {"source": other(chain.embeddings["es", 0])},
        lambda chain: {"target": other(chain.embeddings["en", 0])},
        lambda chain: {"segments": other(chain.segments[0])},
        lambda chain: {"teachers": other(chain.teachers)},
        lambda chain: {"source": chain.embeddings["en", 0], "target": chain.embeddings["es", 0]},
    ],
    ids=["config", "source", "target", "segments", "teachers", "sides"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.costs[0].fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    changes = {
        "root": "elsewhere",
        "shard": "another/place",
        "source": taken(chain.embeddings["es", 0]),
        "segments": taken(chain.segments[0]),
    }
    assert fingerprint(lambda: call(chain, **changes)) == chain.costs[0].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).main, own.root, damage)


@DAMAGES
def test_damaged_posteriors_are_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).posteriors, own.root, damage)
