from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from data_contracts import CANDIDATES
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.candidates import find_candidates
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def given(chain: Chain) -> dict[str, Any]:
    return {
        "root": chain.root,
        "source": chain.texts["es", 1],
        "target": chain.texts["en", 1],
        "mentions": chain.rows["es", 1].mentions,
        "embeddings": chain.embeddings["en", 1],
        "edges": chain.edges,
        "alignment": chain.plans[1],
        "posteriors": chain.posteriors[1],
        "config": CandidateConfig(),
    }


def call(chain: Chain, **changes: object) -> ArtifactRef:
    return find_candidates.fn(**{**given(chain), **changes})


def test_candidates_keep_their_contract(chain: Chain) -> None:
    for shard, ref in chain.candidates.items():
        assert_kept(chain, ref, CANDIDATES)
        assert ref.shard == chain.plans[shard].shard


def test_every_fragment_of_a_mention_has_a_row(chain: Chain) -> None:
    for shard, ref in chain.candidates.items():
        mentions = chain.store.read(chain.rows["es", shard].mentions).to_pylist()
        expected = {(row["document"], row["mention"], number) for row in mentions for number in range(len(row["starts"]))}
        rows = chain.store.read(ref, ["document", "mention", "fragment"]).to_pylist()
        assert {(row["document"], row["mention"], row["fragment"]) for row in rows} == expected != set()


def test_candidates_are_spans_of_the_target_text_by_their_keys(chain: Chain) -> None:
    texts = chain.texts["en", 0].read(chain.store)
    rows = chain.store.read(chain.candidates[0]).to_pylist()
    for row in rows:
        types = texts[row["document"]].types
        assert row["keys"] == [" ".join(types[first : last + 1]) for first, last in zip(row["first"], row["last"], strict=True)]
    assert sum(len(row["first"]) > 1 for row in rows) > 0.8 * len(rows)


def test_the_students_alignment_serves_as_well_as_the_plan(own: Chain) -> None:
    rows = own.store.read(call(own, alignment=own.alignments[1])).to_pylist()
    assert len(rows) == own.candidates[1].rows
    assert rows != own.store.read(own.candidates[1]).to_pylist()


def test_documents_without_an_alignment_have_no_candidates(own: Chain) -> None:
    assert call(own, alignment=own.plans[0]).rows == 0


def test_a_second_call_finds_nothing_new(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.candidates[1], "tasks.candidates.candidate_tables")


@pytest.mark.parametrize("argument", ["mentions", "embeddings", "edges", "alignment", "posteriors"])
def test_it_depends_on_every_table_and_not_on_where_or_when_it_was_made(chain: Chain, argument: str) -> None:
    table, first = given(chain)[argument], chain.candidates[1].fingerprint
    assert fingerprint(lambda: call(chain, **{argument: other(table)})) != first
    assert fingerprint(lambda: call(chain, **{argument: taken(table)}, root="elsewhere")) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": CandidateConfig(reach=2)},
        lambda chain: {"source": replace(chain.texts["es", 1], units=other(chain.texts["es", 1].units))},
        lambda chain: {"target": replace(chain.texts["en", 1], documents=other(chain.texts["en", 1].documents))},
    ],
    ids=["config", "source", "target"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.candidates[1].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
