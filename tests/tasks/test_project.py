from collections.abc import Callable
from dataclasses import replace

import pytest

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.candidates import find_candidates
from tasks.project import Projected, project
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> Projected:
    arguments = {
        "root": chain.root,
        "source": chain.texts["es", 1],
        "target": chain.texts["en", 1],
        "annotated": chain.rows["es", 1],
        "candidates": chain.candidates[1],
        "corpus": chain.counted,
        "aligner": chain.teachers,
        "votes": VoteConfig(),
        "config": DecodeConfig(),
    }
    return project.fn(**{**arguments, **changes})


def test_projections_keep_their_contract(chain: Chain) -> None:
    for shard, ref in chain.projections.items():
        assert_kept(chain, ref, PROJECTIONS)
        assert_kept(chain, chain.carried[shard], CARRIED_LINES)
        assert ref.shard == chain.carried[shard].shard == chain.plans[shard].shard


def test_rows_in_are_rows_out(chain: Chain) -> None:
    key = ("document", "mention", "label")
    for shard, ref in chain.projections.items():
        given = chain.store.read(chain.rows["es", shard].mentions, list(key)).to_pylist()
        assert sorted(map(str, chain.store.read(ref, list(key)).to_pylist())) == sorted(map(str, given)) != []


def test_surfaces_are_slices_of_the_target_text(chain: Chain) -> None:
    texts = chain.texts["en", 0].read(chain.store)
    rows = chain.store.read(chain.projections[0]).to_pylist()
    for row in rows:
        text = texts[row["document"]].text
        assert row["surface"] == " ".join(text[start:end] for start, end in zip(row["starts"], row["ends"], strict=True))
    assert sum(bool(row["surface"]) for row in rows) > 0.8 * len(rows)


def candidates(chain: Chain, alignment: ArtifactRef) -> ArtifactRef:
    """Those of the second shard along another alignment."""
    tables = (chain.rows["es", 1].mentions, chain.embeddings["en", 1], chain.edges, alignment, chain.posteriors[1])
    return find_candidates.fn(chain.root, chain.texts["es", 1], chain.texts["en", 1], *tables, CandidateConfig())


def test_each_row_names_the_teachers_or_the_student_that_aligned_it(own: Chain) -> None:
    student = call(own, candidates=candidates(own, own.alignments[1]), aligner=own.distilled.main)
    assert set(own.store.read(call(own).main)["aligner"].to_pylist()) == {own.teachers.fingerprint}
    assert set(own.store.read(student.main)["aligner"].to_pylist()) == {own.distilled.main.fingerprint}


def test_without_a_target_text_every_mention_abstains(own: Chain) -> None:
    lacking = candidates(own, own.plans[0])
    rows = own.store.read(call(own, target=own.texts["en", 0], candidates=lacking).main).to_pylist()
    assert {(row["reason"], row["aligner"]) for row in rows} == {("no_target_document", "")}
    assert len(rows) == own.rows["es", 1].mentions.rows > 0


def test_without_candidates_every_mention_abstains(own: Chain) -> None:
    rows = own.store.read(call(own, candidates=candidates(own, own.plans[0])).main).to_pylist()
    assert {row["reason"] for row in rows} == {"no_aligned_unit"}
    assert len(rows) == own.rows["es", 1].mentions.rows > 0


def test_a_second_call_projects_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.projections[1], "tasks.project.project_tables")


@pytest.mark.parametrize(
    "changed",
    [
        lambda chain, change: {"candidates": change(chain.candidates[1])},
        lambda chain, change: {"corpus": replace(chain.counted, edges=change(chain.counted.edges))},
        lambda chain, change: {"corpus": replace(chain.counted, memory=change(chain.counted.memory))},
        lambda chain, change: {"aligner": change(chain.teachers)},
    ],
    ids=["candidates", "corpus edges", "memory", "aligner"],
)
def test_it_depends_on_every_table_and_not_on_where_or_when_it_was_made(
    chain: Chain, changed: Callable[[Chain, Callable[[ArtifactRef], ArtifactRef]], dict[str, object]]
) -> None:
    assert fingerprint(lambda: call(chain, **changed(chain, other))) != chain.projections[1].fingerprint
    assert fingerprint(lambda: call(chain, **changed(chain, taken), root="elsewhere")) == chain.projections[1].fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": DecodeConfig(joint=False)},
        lambda chain: {"annotated": replace(chain.rows["es", 1], mentions=other(chain.rows["es", 1].mentions))},
        lambda chain: {"annotated": replace(chain.rows["es", 1], lines=other(chain.rows["es", 1].lines))},
        lambda chain: {"source": replace(chain.texts["es", 1], units=other(chain.texts["es", 1].units))},
        lambda chain: {"target": replace(chain.texts["en", 1], documents=other(chain.texts["en", 1].documents))},
    ],
    ids=["config", "mentions", "lines", "source", "target"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.projections[1].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).main, own.root, damage)


@DAMAGES
def test_damaged_carried_lines_are_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).carried, own.root, damage)
