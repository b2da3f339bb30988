from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import CORPUS_EDGES, MEMORY
from pipeline_lib.projection.consistency import ConsistencyConfig
from pipeline_lib.projection.scoring import VoteConfig
from tasks import consistency
from tasks.consistency import KEPT, Counted, count_corpus, read_knowledge
from tasks.fit import read_vocabulary
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> Counted:
    arguments = {
        "root": chain.root,
        "candidates": list(chain.candidates.values()),
        "teachers": chain.teachers,
        "config": ConsistencyConfig(),
    }
    return count_corpus.fn(**{**arguments, **changes})


def test_both_tables_keep_their_contracts(chain: Chain) -> None:
    assert_kept(chain, chain.counted.edges, CORPUS_EDGES)
    assert_kept(chain, chain.counted.memory, MEMORY)
    assert chain.counted.edges.shard == chain.counted.memory.shard == "es-en"
    assert chain.counted.main == chain.counted.edges


def test_there_is_a_row_a_target_type_and_one_for_the_unseen(chain: Chain) -> None:
    types = read_vocabulary(chain.store, chain.teachers, "target").types
    assert chain.store.read(chain.counted.edges)["type"].to_pylist() == list(range(len(types) + 1))


def test_the_memory_holds_the_source_surfaces_of_every_shard(chain: Chain) -> None:
    met = {key for ref in chain.candidates.values() for key in chain.store.read(ref)["source_key"].to_pylist()}
    remembered = set(chain.store.read(chain.counted.memory)["source_key"].to_pylist())
    assert remembered <= met and len(remembered) > 0.8 * len(met)


def test_a_mention_has_one_vote_to_share_out(chain: Chain) -> None:
    rows = chain.store.read(chain.counted.memory).to_pylist()
    mentions = sum(ref.rows for ref in chain.candidates.values())
    assert 0.9 * mentions < sum(row["votes"] for row in rows) <= mentions + 1e-6


def test_every_shard_is_counted(own: Chain) -> None:
    first = call(own, candidates=[own.candidates[0]])
    assert own.store.read(first.memory).num_rows < own.store.read(own.counted.memory).num_rows
    assert own.store.read(first.edges).to_pylist() != own.store.read(own.counted.edges).to_pylist()


def test_what_was_counted_is_read_once_a_process_and_given_back_after_a_few_others(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "_READ", OrderedDict())
    known = read_knowledge(chain.store, chain.counted, VoteConfig())
    assert known.memory.rows.height == chain.counted.memory.rows > 0
    assert len(known.edges) == chain.counted.edges.rows and known.votes == VoteConfig()
    assert read_knowledge(chain.store, taken_as(chain), VoteConfig()) is known
    for number in range(KEPT):
        votes = VoteConfig(temperature=1.0 + number)
        assert read_knowledge(chain.store, chain.counted, votes).votes == votes
    assert read_knowledge(chain.store, chain.counted, VoteConfig()) is not known


def taken_as(chain: Chain) -> Counted:
    """What was counted, as another run finds it."""
    return replace(chain.counted, edges=taken(chain.counted.edges), memory=taken(chain.counted.memory))


def test_a_second_call_counts_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).edges, chain.counted.edges, "tasks.consistency.corpus_tables")
    assert_reused(lambda: call(chain).memory, chain.counted.memory, "tasks.consistency.corpus_tables")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": ConsistencyConfig(votes=VoteConfig(temperature=0.6))},
        lambda chain: {"candidates": [chain.candidates[0], other(chain.candidates[1])]},
        lambda chain: {"candidates": [chain.candidates[0]]},
        lambda chain: {"teachers": other(chain.teachers)},
    ],
    ids=["config", "candidates", "a shard less", "teachers"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.counted.edges.fingerprint


def test_it_does_not_depend_on_where_or_when_its_inputs_were_made(chain: Chain) -> None:
    candidates = [taken(ref) for ref in chain.candidates.values()]
    changes = {"root": "elsewhere", "candidates": candidates, "teachers": taken(chain.teachers)}
    assert fingerprint(lambda: call(chain, **changes)) == chain.counted.edges.fingerprint


@DAMAGES
def test_damaged_edges_are_counted_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).edges, own.root, damage)


@DAMAGES
def test_a_damaged_memory_is_counted_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).memory, own.root, damage)
