from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_contracts import REJECTS, SCORES
from pipeline_lib.evaluation.resample import ResampleConfig
from tasks.score import Scored, score
from tests.tasks.chain import (
    DAMAGES,
    DOCUMENTS_USED,
    RESAMPLE,
    Chain,
    assert_kept,
    assert_repaired,
    assert_reused,
    copy_of,
    fingerprint,
    other,
    run_chain,
    taken,
)


def call(chain: Chain, **changes: object) -> Scored:
    arguments: dict[str, Any] = {
        "root": chain.root,
        "corpus": chain.corpus,
        "scanned": chain.scanned,
        "target": "en",
        "matched": list(chain.matched.values()),
        "config": RESAMPLE,
    }
    return score.fn(**{**arguments, **changes})


def gold(chain: Chain) -> list[Path]:
    return sorted((Path(chain.corpus) / "en").glob("*.ann"))


def pooled(chain: Chain, scored: Scored) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in chain.store.read(scored.main).to_pylist() if row["label"] == "*"}


@pytest.fixture(scope="module")
def poisoned(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """The whole chain in a store of its own, on a corpus whose target annotations nobody but ``match`` can open."""
    corpus = Path(copy_of(chain, tmp_path_factory.mktemp("poisoned")).corpus)
    for path in (corpus / "en").glob("*.ann"):
        path.write_bytes(b"T1\tPOISON 0 1\t\xff")
    yield run_chain(str(corpus.parent / "fresh"), str(corpus))


def test_both_tables_keep_their_contracts(chain: Chain) -> None:
    assert_kept(chain, chain.scored.main, SCORES)
    assert_kept(chain, chain.scored.strays, REJECTS)
    assert chain.scored.main.shard == "es-en"
    assert chain.scored.rejects == [chain.scored.strays, *(made.rejects for made in chain.matched.values())]


def test_every_gold_mention_and_every_projection_is_scored(chain: Chain) -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in gold(chain))
    projected = [row for ref in chain.projections.values() for row in chain.store.read(ref).to_pylist() if row["starts"]]
    figures = pooled(chain, chain.scored)["strict"]
    assert figures["gold"] == lines > 30
    assert figures["predicted"] == len({(row["document"], row["label"], min(row["starts"]), max(row["ends"])) for row in projected})
    assert figures["documents"] == len(DOCUMENTS_USED)


def test_no_earlier_task_opens_the_annotations_of_a_target(chain: Chain, poisoned: Chain) -> None:
    clean = {ref.key: ref.sha256 for ref in chain.before_scoring()}
    assert {ref.key: ref.sha256 for ref in poisoned.before_scoring()} == clean
    assert len(clean) == 4 * 5 + 2 + 4 + 6 + 4 + 8 * 2


def test_gold_that_cannot_be_read_scores_nothing(poisoned: Chain) -> None:
    assert all(row["gold"] == row["predicted"] == 0 for row in poisoned.store.read(poisoned.scored.main).to_pylist())
    rejects = [row for ref in poisoned.scored.rejects for row in poisoned.store.read(ref).to_pylist()]
    assert {(row["stage"], row["lang"], row["code"]) for row in rejects} == {("score", "en", "not_utf8")}
    assert {row["document"] for row in rejects} == set(DOCUMENTS_USED)


def test_a_second_call_scores_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.scored.main, "tasks.score.score_documents")
    assert_reused(lambda: call(chain).strays, chain.scored.strays, "tasks.score.score_documents")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": ResampleConfig(replicates=51)},
        lambda chain: {"matched": [chain.matched[0], replace(chain.matched[1], main=other(chain.matched[1].main))]},
        lambda chain: {"matched": [chain.matched[0]]},
    ],
    ids=["config", "matched", "a shard less"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.scored.main.fingerprint


def test_it_does_not_depend_on_where_and_when_things_were_made(own: Chain) -> None:
    matched = [replace(made, main=taken(made.main)) for made in own.matched.values()]
    assert fingerprint(lambda: call(own, matched=matched)) == own.scored.main.fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).main, own.root, damage)
