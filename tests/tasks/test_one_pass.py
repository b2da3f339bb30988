from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.projection import one_pass
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.one_pass import OnePassConfig
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.candidates import find_candidates
from tasks.ingest import ingest_shard
from tasks.one_pass import project_at_once
from tasks.project import Projected, project
from tasks.scan import scan
from tasks.texts import Texts
from tasks.units import make_units
from tests.tasks.chain import CORPUS, DAMAGES, SHARDS, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def given(chain: Chain) -> dict[str, Any]:
    return {
        "root": chain.root,
        "shard": chain.plans[0].shard,
        "source": chain.texts["es", 0],
        "target": chain.texts["en", 0],
        "annotated": chain.rows["es", 0],
        "teachers": chain.teachers,
        "edges": chain.edges,
        "corpus": chain.counted,
        "student": None,
        "reranker": None,
        "config": OnePassConfig(),
    }


def call(chain: Chain, **changes: object) -> Projected:
    return project_at_once.fn(**{**given(chain), **changes})


def tables(chain: Chain, made: Projected) -> tuple[pa.Table, pa.Table]:
    return chain.store.read(made.projections), chain.store.read(made.carried)


def with_a_changed_document(chain: Chain) -> tuple[str, Texts]:
    """The last document of the shard is another text in the target language: its id, and the shard's texts as they are now."""
    *_, document = chain.texts["en", 0].read(chain.store)
    file = Path(chain.corpus) / "en" / f"{document}.txt"
    file.write_bytes(b"A new first line.\n" + file.read_bytes())
    found = scan.fn(chain.root, chain.corpus, "es", ["en"], CORPUS, SHARDS, chain.scanned.shards)
    rows = ingest_shard.fn(chain.root, chain.corpus, found, "en", 0, CORPUS)
    return document, Texts(rows.documents, make_units.fn(chain.root, rows.documents))


def aligned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that are aligned from now on."""
    documents: list[str] = []
    real = one_pass.segment_pairs_table

    def noted(source: dict[str, Any], *rest: Any) -> Any:
        documents.extend(source)
        return real(source, *rest)

    monkeypatch.setattr(one_pass, "segment_pairs_table", noted)
    return documents


def test_the_projections_are_those_of_the_stages_one_after_the_other(own: Chain) -> None:
    made = call(own)
    assert_kept(own, made.projections, PROJECTIONS)
    assert_kept(own, made.carried, CARRIED_LINES)
    assert made.projections.rows > 30 and made.projections.documents > 1
    assert tables(own, made) == tables(own, own.projected[0])


def test_the_students_projections_are_those_of_the_stages_too(own: Chain) -> None:
    made = call(own, student=own.distilled.main, config=OnePassConfig(aligner="student"))
    texts, rows = (own.texts["es", 0], own.texts["en", 0]), own.rows["es", 0]
    shard = (*texts, rows.mentions, own.embeddings["en", 0], own.edges, own.alignments[0], own.posteriors[0])
    candidates = find_candidates.fn(own.root, *shard, CandidateConfig())
    staged = project.fn(own.root, *texts, rows, candidates, own.counted, own.distilled.main, VoteConfig(), DecodeConfig())
    assert tables(own, made) == tables(own, staged)
    assert tables(own, made) != tables(own, own.projected[0])


def test_mentions_without_a_target_text_say_so_as_in_the_stages(own: Chain) -> None:
    elsewhere = own.texts["en", 1]
    staged = project.fn(
        own.root,
        own.texts["es", 0],
        elsewhere,
        own.rows["es", 0],
        own.candidates[1],
        own.counted,
        own.teachers,
        VoteConfig(),
        DecodeConfig(),
    )
    made = call(own, target=elsewhere)
    assert tables(own, made) == tables(own, staged)
    assert set(tables(own, made)[0]["reason"].to_pylist()) == {"no_target_document"}


def test_of_a_changed_shard_only_the_changed_document_is_projected(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    before, _ = tables(own, call(own))
    document, texts = with_a_changed_document(own)
    documents = aligned(monkeypatch)
    after = call(own, target=texts)
    assert documents == [document] == [name for name, _ in after.projections.slowest]
    rows, _ = tables(own, after)
    assert rows.filter(pc.not_equal(rows["document"], document)) == before.filter(pc.not_equal(before["document"], document))
    assert rows != before


def test_a_shard_built_from_an_earlier_one_has_the_bytes_of_one_built_from_nothing(own: Chain) -> None:
    first = call(own)
    _, texts = with_a_changed_document(own)
    renewed = call(own, target=texts)
    for ref in (first.projections, first.carried, renewed.projections, renewed.carried):
        (Path(own.root) / ref.key).unlink()
        (Path(own.root) / ref.record_key).unlink()
    anew = call(own, target=texts)
    for name in ("projections", "carried"):
        ours, theirs = getattr(renewed, name), getattr(anew, name)
        assert (ours.sha256, ours.record_md5) == (theirs.sha256, theirs.record_md5)
    assert len(anew.projections.slowest) == anew.projections.documents


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": OnePassConfig(candidates=CandidateConfig(reach=2))},
        lambda chain: {"student": chain.distilled.main, "config": OnePassConfig(aligner="student")},
    ],
    ids=["settings", "student"],
)
def test_under_other_settings_or_with_another_model_every_document_is_projected(
    own: Chain, change: Callable[[Chain], dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(own)
    documents = aligned(monkeypatch)
    call(own, **change(own))
    assert documents == list(own.texts["es", 0].read(own.store))


def test_a_second_call_finds_nothing_new(own: Chain) -> None:
    assert_reused(lambda: call(own).projections, call(own).projections, "tasks.one_pass.project_documents")


@pytest.mark.parametrize("argument", ["teachers", "edges"])
def test_it_depends_on_the_model_and_not_on_where_or_when_it_was_made(chain: Chain, argument: str) -> None:
    table, first = given(chain)[argument], fingerprint(lambda: call(chain))
    assert fingerprint(lambda: call(chain, **{argument: other(table)})) != first
    assert fingerprint(lambda: call(chain, **{argument: taken(table)}, root="elsewhere")) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": OnePassConfig(decode=DecodeConfig(joint=False))},
        lambda chain: {"student": chain.distilled.main},
        lambda chain: {"reranker": chain.edges},
        lambda chain: {"support": chain.edges},
        lambda chain: {"corpus": replace(chain.counted, memory=other(chain.counted.memory))},
        lambda chain: {"annotated": replace(chain.rows["es", 0], lines=other(chain.rows["es", 0].lines))},
        lambda chain: {"annotated": replace(chain.rows["es", 0], mentions=other(chain.rows["es", 0].mentions))},
        lambda chain: {"source": replace(chain.texts["es", 0], units=other(chain.texts["es", 0].units))},
        lambda chain: {"target": replace(chain.texts["en", 0], documents=other(chain.texts["en", 0].documents))},
    ],
    ids=["config", "student", "reranker", "support", "memory", "lines", "mentions", "source", "target"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != fingerprint(lambda: call(chain))


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    def again() -> ArtifactRef:
        return call(own).projections

    again()
    assert_repaired(again, own.root, damage)
