from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_contracts import DOCUMENT_SCORES, REJECTS
from pipeline_lib.corpus.layouts import CorpusConfig
from tasks import match
from tasks.match import Matched, match_gold
from tasks.scan import scan
from tests.tasks.chain import CORPUS, DAMAGES, SHARDS, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, **changes: object) -> Matched:
    arguments: dict[str, Any] = {
        "root": chain.root,
        "corpus": chain.corpus,
        "scanned": chain.scanned,
        "target": "en",
        "shard": 0,
        "projections": chain.projections[0],
        "layout": CORPUS,
    }
    return match_gold.fn(**{**arguments, **changes})


def scanned(chain: Chain) -> Any:
    return scan.fn(chain.root, chain.corpus, "es", ["en"], CORPUS, SHARDS, chain.scanned.shards)


def documents(chain: Chain) -> list[str]:
    return list(chain.texts["en", 0].read(chain.store))


def gold(chain: Chain, document: str) -> Path:
    return Path(chain.corpus) / "en" / f"{document}.ann"


def counts(chain: Chain, made: Matched) -> dict[str, tuple[int, int, int]]:
    rows = chain.store.read(made.main).to_pylist()
    return {row["document"]: (row["gold"], row["predicted"], row["tp"]) for row in rows if row["label"] == "*"}


def test_both_tables_keep_their_contracts(chain: Chain) -> None:
    for shard, made in chain.matched.items():
        assert_kept(chain, made.main, DOCUMENT_SCORES)
        assert_kept(chain, made.rejects, REJECTS)
        assert made.main.shard == chain.plans[shard].shard


def test_every_document_with_gold_has_its_counts(chain: Chain) -> None:
    found = counts(chain, chain.matched[0])
    assert list(found) == documents(chain)
    for document, (wanted, predicted, matched) in found.items():
        assert wanted == len(gold(chain, document).read_text("utf-8").splitlines()) > 5
        assert 0 < matched <= min(wanted, predicted)


def test_a_document_without_gold_is_not_matched(own: Chain) -> None:
    first, *others = documents(own)
    gold(own, first).unlink()
    assert list(counts(own, call(own, scanned=scanned(own)))) == others


def test_gold_that_cannot_be_read_is_a_reject_by_its_rule_and_takes_no_other_document_along(own: Chain) -> None:
    first, *others = documents(own)
    gold(own, first).write_bytes(b"\xff")
    made = call(own)
    assert list(counts(own, made)) == others
    assert [(row["stage"], row["document"], row["code"]) for row in own.store.read(made.rejects).to_pylist()] == [
        ("score", first, "not_utf8")
    ]


def test_only_documents_whose_gold_changed_are_matched_again(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = documents(own)
    before = counts(own, own.matched[0])
    gold(own, first).write_bytes(b"\n".join(gold(own, first).read_bytes().splitlines()[:-1]) + b"\n")
    asked: list[str] = []
    real = match.match_documents

    def noted(root: Path, files: Any, *rest: Any) -> Any:
        asked.extend(files["document"].to_pylist())
        return real(root, files, *rest)

    monkeypatch.setattr(match, "match_documents", noted)
    after = counts(own, call(own))
    assert asked == [first]
    assert after[first][0] == before[first][0] - 1
    assert {name: found for name, found in after.items() if name != first} == {
        name: found for name, found in before.items() if name != first
    }


def test_a_second_call_matches_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain).main, chain.matched[0].main, "tasks.match.match_documents")


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: {"projections": other(chain.projections[0])},
        lambda chain: {"layout": CorpusConfig(aliases={"X": "Y"})},
        lambda chain: {"shard": 1},
    ],
    ids=["projections", "aliases", "shard"],
)
def test_it_depends_on(chain: Chain, change: Callable[[Chain], dict[str, object]]) -> None:
    assert fingerprint(lambda: call(chain, **change(chain))) != chain.matched[0].main.fingerprint


def test_it_depends_on_what_stands_in_the_gold(own: Chain) -> None:
    file = gold(own, documents(own)[0])
    file.write_bytes(file.read_bytes() + b"#1\tAnnotatorNotes T1\tsure\n")
    assert fingerprint(lambda: call(own)) != own.matched[0].main.fingerprint


def test_it_does_not_depend_on_the_sources_annotations_nor_on_where_and_when_things_were_made(own: Chain) -> None:
    for path in (Path(own.corpus) / "es").glob("*.ann"):
        path.write_bytes(b"anything")
    assert fingerprint(lambda: call(own, projections=taken(own.projections[0]))) == own.matched[0].main.fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).main, own.root, damage)
