from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_contracts import REJECTS, SCORES
from pipeline_lib.evaluation.resample import ResampleConfig
from tasks.scan import scan
from tasks.score import Scored, score
from tests.tasks.chain import (
    CORPUS,
    DAMAGES,
    DOCUMENTS_USED,
    RESAMPLE,
    SHARDS,
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
        "projections": list(chain.projections.values()),
        "layout": CORPUS,
        "config": RESAMPLE,
    }
    return score.fn(**{**arguments, **changes})


def gold(chain: Chain) -> list[Path]:
    return sorted((Path(chain.corpus) / "en").glob("*.ann"))


def pooled(chain: Chain, scored: Scored) -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in chain.store.read(scored.main).to_pylist() if row["label"] == "*"}


@pytest.fixture(scope="module")
def poisoned(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """The whole chain in a store of its own, on a corpus whose target annotations nobody but ``score`` can open."""
    corpus = Path(copy_of(chain, tmp_path_factory.mktemp("poisoned")).corpus)
    for path in (corpus / "en").glob("*.ann"):
        path.write_bytes(b"T1\tPOISON 0 1\t\xff")
    yield run_chain(str(corpus.parent / "fresh"), str(corpus))


def test_both_tables_keep_their_contracts(chain: Chain) -> None:
    assert_kept(chain, chain.scored.main, SCORES)
    assert_kept(chain, chain.scored.rejects, REJECTS)
    assert chain.scored.main.shard == "es-en"


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


def test_annotations_that_cannot_be_read_are_rejected_by_their_rule(poisoned: Chain) -> None:
    rows = poisoned.store.read(poisoned.scored.rejects).to_pylist()
    assert {(row["stage"], row["lang"], row["code"]) for row in rows} == {("score", "en", "not_utf8")}
    assert {row["document"] for row in rows} == set(DOCUMENTS_USED)
    assert all(row["gold"] == row["predicted"] == 0 for row in poisoned.store.read(poisoned.scored.main).to_pylist())


def test_a_document_without_gold_is_not_scored(own: Chain) -> None:
    removed = gold(own)[0]
    lines = len(removed.read_text("utf-8").splitlines())
    removed.unlink()
    scanned = scan.fn(own.root, own.corpus, "es", ["en"], CORPUS, SHARDS, None)
    before, after = pooled(own, own.scored)["strict"], pooled(own, call(own, scanned=scanned))["strict"]
    assert after["gold"] == before["gold"] - lines
    assert after["predicted"] < before["predicted"]
    assert after["documents"] == len(DOCUMENTS_USED) - 1


def test_a_second_call_scores_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.scored.main, "tasks.score.score_projections")
    assert_reused(lambda: call(chain).rejects, chain.scored.rejects, "tasks.score.score_projections")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"config": ResampleConfig(replicates=51)},
        lambda chain: {"projections": [chain.projections[0], other(chain.projections[1])]},
        lambda chain: {"projections": [chain.projections[0]]},
    ],
    ids=["config", "projections", "a shard less"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.scored.main.fingerprint


def test_it_depends_on_what_stands_in_the_gold(own: Chain) -> None:
    gold(own)[2].write_bytes(gold(own)[2].read_bytes() + b"#1\tAnnotatorNotes T1\tsure\n")
    assert fingerprint(lambda: call(own)) != own.scored.main.fingerprint


def test_it_does_not_depend_on_the_sources_annotations_nor_on_where_and_when_things_were_made(own: Chain) -> None:
    for path in (Path(own.corpus) / "es").glob("*.ann"):
        path.write_bytes(b"anything")
    projections = [taken(ref) for ref in own.projections.values()]
    assert fingerprint(lambda: call(own, projections=projections)) == own.scored.main.fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).main, own.root, damage)
