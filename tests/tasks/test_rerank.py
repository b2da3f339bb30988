from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.supervision.rerank import FACTS, LESSONS, RerankConfig
from tasks.rerank import declared_rows, read_reranker, train_reranker
from tests.tasks.chain import CORPUS, DAMAGES, DOCUMENTS_USED, Chain, assert_repaired, assert_reused, copy_of, fingerprint, other, taken

DECLARED = tuple(DOCUMENTS_USED[:3])
CONFIG = RerankConfig(trees=4, leaves=4, folds=2)


def call(chain: Chain, **changes: object) -> ArtifactRef | None:
    arguments = {
        "root": chain.root,
        "folder": chain.corpus,
        "scanned": replace(chain.scanned, trained=DECLARED),
        "target": "en",
        "texts": (chain.whole("es"), chain.whole("en")),
        "mentions": chain.mentions(),
        "candidates": list(chain.candidates.values()),
        "corpus": chain.counted,
        "layout": CORPUS,
        "votes": VoteConfig(),
        "decode": DecodeConfig(),
        "config": CONFIG,
    }
    return train_reranker.fn(**{**arguments, **changes})


def made(chain: Chain) -> ArtifactRef:
    found = call(chain)
    assert found is not None
    return found


def test_it_is_a_folder_of_lessons_and_facts_of_the_declared_documents_alone(chain: Chain) -> None:
    ref = made(chain)
    assert (ref.contract, ref.shard) == ("reranker", "es-en")
    with chain.store.local(ref) as folder:
        assert {path.name for path in folder.iterdir()} == {LESSONS, FACTS}
    facts = read_reranker(chain.store, ref).facts
    assert facts.documents == len(DECLARED) and 0 < facts.chosen <= facts.mentions


def test_only_the_gold_of_declared_documents_is_asked_for(chain: Chain) -> None:
    rows = declared_rows(chain.store, replace(chain.scanned, trained=DECLARED), "en")
    assert [row["document"] for row in rows] == sorted(DECLARED)


def test_without_a_declared_document_there_is_none(chain: Chain) -> None:
    assert call(chain, scanned=replace(chain.scanned, trained=())) is None


def test_a_reranker_is_grown_once_a_process(chain: Chain) -> None:
    ref = made(chain)
    assert read_reranker(chain.store, ref) is read_reranker(chain.store, taken(ref))


def test_a_second_call_learns_nothing(chain: Chain) -> None:
    assert_reused(lambda: made(chain), made(chain), "tasks.rerank.learn")


@DAMAGES
def test_a_damaged_reranker_is_trained_again(chain: Chain, tmp_path_factory: pytest.TempPathFactory, damage: str) -> None:
    own = copy_of(chain, tmp_path_factory.mktemp("rerank"))
    made(own)
    assert_repaired(lambda: made(own), own.root, damage, LESSONS)


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"scanned": replace(chain.scanned, trained=DECLARED[:2])},
        lambda chain: {"candidates": [chain.candidates[0], other(chain.candidates[1])]},
        lambda chain: {"corpus": replace(chain.counted, memory=other(chain.counted.memory))},
        lambda chain: {"votes": VoteConfig(temperature=0.7)},
        lambda chain: {"decode": DecodeConfig(temperature=1.1)},
        lambda chain: {"config": RerankConfig(trees=5, leaves=4, folds=2)},
    ],
    ids=["documents", "candidates", "memory", "votes", "decode", "config"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != made(chain).fingerprint


def test_it_depends_on_what_the_declared_gold_says(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    own = copy_of(chain, tmp_path_factory.mktemp("rerank"))
    for name, changes in ((DECLARED[0], True), (DOCUMENTS_USED[3], False)):
        before = fingerprint(lambda: call(own))
        gold = next(path for path in Path(own.corpus).rglob(f"{name}.ann") if path.parent.name == "en")
        gold.write_text(gold.read_text("utf-8").replace("T1\t", "T901\t"), "utf-8")
        assert (fingerprint(lambda: call(own)) != before) == changes
