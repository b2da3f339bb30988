from collections.abc import Callable

import pytest

from data_contracts import COST_MATRICES
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.storage.store import ArtifactRef
from tasks.cost import cost
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "shard": chain.costs[0].shard,
        "source": chain.embeddings["es", 0],
        "target": chain.embeddings["en", 0],
        "teachers": chain.teachers,
        "config": CostConfig(),
    }
    return cost.fn(**{**arguments, **changes})


def test_costs_keep_their_contract(chain: Chain) -> None:
    for ref in chain.costs.values():
        assert_kept(chain, ref, COST_MATRICES)


def test_rows_are_source_units_and_columns_target_units(chain: Chain) -> None:
    sides = [chain.texts[lang, 0].read(chain.store) for lang in ("es", "en")]
    rows = chain.store.read(chain.costs[0], ["document", "source_lang", "target_lang", "rows", "columns"]).to_pylist()
    assert len(rows) == 3
    for row in rows:
        assert (row["rows"], row["columns"]) == tuple(len(side[row["document"]].starts) for side in sides)
        assert (row["source_lang"], row["target_lang"]) == ("es", "en")


def test_documents_that_one_side_lacks_have_no_costs(own: Chain) -> None:
    assert own.store.read(call(own, target=own.embeddings["en", 1])).num_rows == 0


def test_a_second_call_costs_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.costs[0], "tasks.cost.cost_tables")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": CostConfig(context=0.2)},
        lambda chain: {"source": other(chain.embeddings["es", 0])},
        lambda chain: {"target": other(chain.embeddings["en", 0])},
        lambda chain: {"teachers": other(chain.teachers)},
        lambda chain: {"source": chain.embeddings["en", 0], "target": chain.embeddings["es", 0]},
    ],
    ids=["config", "source", "target", "teachers", "sides"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.costs[0].fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    changes = {"root": "elsewhere", "shard": "another/place", "source": taken(chain.embeddings["es", 0])}
    assert fingerprint(lambda: call(chain, **changes)) == chain.costs[0].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
