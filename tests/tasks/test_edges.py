from collections.abc import Callable

import pytest

from data_contracts import EDGE_STATISTICS
from pipeline_lib.projection.edges import EdgeConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.edges import count_edges
from tasks.fit import read_vocabulary
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> ArtifactRef:
    arguments = {
        "root": chain.root,
        "source": chain.whole("es"),
        "mentions": chain.mentions(),
        "teachers": chain.teachers,
        "config": EdgeConfig(),
    }
    return count_edges.fn(**{**arguments, **changes})


def test_edges_keep_their_contract(chain: Chain) -> None:
    assert_kept(chain, chain.edges, EDGE_STATISTICS)
    assert chain.edges.shard == "es-en"


def test_there_is_a_row_a_target_type_and_one_for_the_unseen(chain: Chain) -> None:
    types = read_vocabulary(chain.store, chain.teachers, "target").types
    assert chain.store.read(chain.edges)["type"].to_pylist() == list(range(len(types) + 1))


def test_a_full_stop_opens_no_mention_and_often_follows_one(chain: Chain) -> None:
    stop = read_vocabulary(chain.store, chain.teachers, "target").index["."]
    row = chain.store.read(chain.edges).slice(stop, 1).to_pylist()[0]
    assert row["opens"] < row["follows"]


def test_every_shard_is_counted(own: Chain) -> None:
    first = own.store.read(call(own, source=own.whole("es")[:1], mentions=own.mentions()[:1])).to_pylist()
    assert first != own.store.read(own.edges).to_pylist()


def test_shards_and_mentions_must_be_as_many(own: Chain) -> None:
    with pytest.raises(ValueError, match="shorter"):
        call(own, mentions=own.mentions()[:1])


def test_a_second_call_counts_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.edges, "tasks.edges.edge_log_odds")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": EdgeConfig(prior_strength=5.0)},
        lambda chain: {"mentions": [chain.mentions()[0], other(chain.mentions()[1])]},
        lambda chain: {"teachers": other(chain.teachers)},
        lambda chain: {"source": chain.whole("en")},
    ],
    ids=["config", "mentions", "teachers", "texts"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.edges.fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    assert fingerprint(lambda: call(chain, root="elsewhere", teachers=taken(chain.teachers))) == chain.edges.fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
