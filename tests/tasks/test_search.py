from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from data_contracts import CANDIDATES
from pipeline_lib.projection import one_pass
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.one_pass import OnePassConfig
from pipeline_lib.storage.store import ArtifactRef
from tasks.candidates import find_candidates
from tasks.ingest import ingest_shard
from tasks.scan import scan
from tasks.search import search_shard
from tasks.texts import Texts
from tasks.units import make_units
from tests.tasks.chain import CORPUS, DAMAGES, SHARDS, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def given(chain: Chain) -> dict[str, Any]:
    return {
        "root": chain.root,
        "shard": chain.plans[0].shard,
        "source": chain.texts["es", 0],
        "target": chain.texts["en", 0],
        "mentions": chain.rows["es", 0].mentions,
        "teachers": chain.teachers,
        "edges": chain.edges,
        "student": None,
        "config": OnePassConfig(),
    }


def call(chain: Chain, **changes: object) -> ArtifactRef:
    return search_shard.fn(**{**given(chain), **changes})


def with_a_changed_document(chain: Chain) -> tuple[str, Texts]:
    """The last document of the shard is another text in the target language: its id, and the shard's texts as they are now."""
    *_, document = chain.texts["en", 0].read(chain.store)
    file = Path(chain.corpus) / "en" / f"{document}.txt"
    file.write_bytes(b"A new first line.\n" + file.read_bytes())
    found = scan.fn(chain.root, chain.corpus, "es", ["en"], CORPUS, SHARDS, chain.scanned.shards)
    rows = ingest_shard.fn(chain.root, chain.corpus, found, "en", 0, CORPUS)
    return document, Texts(rows.documents, make_units.fn(chain.root, rows.documents))


def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that are searched from now on."""
    documents: list[str] = []
    real = one_pass.segment_pairs_table

    def noted(source: dict[str, Any], *rest: Any) -> Any:
        documents.extend(source)
        return real(source, *rest)

    monkeypatch.setattr(one_pass, "segment_pairs_table", noted)
    return documents


def test_the_candidates_are_those_of_the_stages_one_after_the_other(own: Chain) -> None:
    ref = call(own)
    assert_kept(own, ref, CANDIDATES)
    assert ref.rows > 30 and ref.documents > 1
    assert own.store.read(ref).equals(own.store.read(own.candidates[0]))


def test_the_students_candidates_are_those_of_the_stages_too(own: Chain) -> None:
    ref = call(own, student=own.distilled.main, config=OnePassConfig(aligner="student"))
    shard = (own.texts["es", 0], own.texts["en", 0], own.rows["es", 0].mentions, own.embeddings["en", 0], own.edges)
    staged = find_candidates.fn(own.root, *shard, own.alignments[0], own.posteriors[0], CandidateConfig())
    assert own.store.read(ref).equals(own.store.read(staged))
    assert not own.store.read(ref).equals(own.store.read(own.candidates[0]))


def test_of_a_changed_shard_only_the_changed_document_is_searched(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    before = own.store.read(call(own))
    document, texts = with_a_changed_document(own)
    documents = searched(monkeypatch)
    after = call(own, target=texts)
    assert documents == [document] == [name for name, _ in after.slowest]
    rows = own.store.read(after)
    unchanged = pc.not_equal(rows["document"], document)
    assert rows.filter(unchanged).equals(before.filter(pc.not_equal(before["document"], document)))
    assert not rows.equals(before)


def test_a_shard_built_from_an_earlier_one_has_the_bytes_of_one_built_from_nothing(own: Chain) -> None:
    first = call(own)
    _, texts = with_a_changed_document(own)
    renewed = call(own, target=texts)
    for ref in (first, renewed):
        (Path(own.root) / ref.key).unlink()
        (Path(own.root) / ref.record_key).unlink()
    anew = call(own, target=texts)
    assert (anew.sha256, anew.record_md5) == (renewed.sha256, renewed.record_md5)
    assert len(anew.slowest) == anew.documents


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": OnePassConfig(candidates=CandidateConfig(reach=2))},
        lambda chain: {"student": chain.distilled.main, "config": OnePassConfig(aligner="student")},
    ],
    ids=["settings", "student"],
)
def test_under_other_settings_or_with_another_model_every_document_is_searched(
    own: Chain, change: Callable[[Chain], dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(own)
    documents = searched(monkeypatch)
    call(own, **change(own))
    assert documents == list(own.texts["es", 0].read(own.store))


def test_a_second_call_finds_nothing_new(own: Chain) -> None:
    assert_reused(lambda: call(own), call(own), "tasks.search.search")


@pytest.mark.parametrize("argument", ["mentions", "teachers", "edges"])
def test_it_depends_on_every_table_and_not_on_where_or_when_it_was_made(chain: Chain, argument: str) -> None:
    table, first = given(chain)[argument], fingerprint(lambda: call(chain))
    assert fingerprint(lambda: call(chain, **{argument: other(table)})) != first
    assert fingerprint(lambda: call(chain, **{argument: taken(table)}, root="elsewhere")) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": OnePassConfig(candidates=CandidateConfig(reach=2))},
        lambda chain: {"student": chain.distilled.main},
        lambda chain: {"support": chain.edges},
        lambda chain: {"source": replace(chain.texts["es", 0], units=other(chain.texts["es", 0].units))},
        lambda chain: {"target": replace(chain.texts["en", 0], documents=other(chain.texts["en", 0].documents))},
    ],
    ids=["config", "student", "support", "source", "target"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != fingerprint(lambda: call(chain))


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    call(own)
    assert_repaired(lambda: call(own), own.root, damage)
