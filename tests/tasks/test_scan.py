from pathlib import Path

import pytest

from data_contracts import CORPUS_FILES, REJECTS
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig
from tasks.scan import Scanned, scan
from tests.tasks.chain import DAMAGES, DOCUMENTS_USED, SHARDS, Chain, assert_kept, assert_repaired


def call(chain: Chain, **changes: object) -> Scanned:
    arguments = {"root": chain.root, "corpus": chain.corpus, "source": "es", "targets": ["en"]}
    arguments |= {"layout": CorpusConfig(), "config": SHARDS, "shards": None}
    return scan.fn(**{**arguments, **changes})


def text(chain: Chain, lang: str, document: str = DOCUMENTS_USED[0], ending: str = "txt") -> Path:
    return Path(chain.corpus) / lang / f"{document}.{ending}"


def test_both_tables_keep_their_contracts(chain: Chain) -> None:
    assert_kept(chain, chain.scanned.files, CORPUS_FILES)
    assert_kept(chain, chain.scanned.rejects, REJECTS)


def test_it_finds_every_text_and_the_shards_that_hold_some(chain: Chain) -> None:
    rows = chain.store.read(chain.scanned.files).to_pylist()
    assert {(row["lang"], row["document"]) for row in rows} == {(lang, name) for lang in ("es", "en") for name in DOCUMENTS_USED}
    assert chain.scanned.shards == 2
    assert chain.scanned.filled == sorted({row["shard"] for row in rows}) == [0, 1]
    assert (chain.scanned.source, chain.scanned.targets) == ("es", ["en"])


def test_progress_counts_its_files(chain: Chain) -> None:
    assert chain.scanned.main == chain.scanned.files
    assert chain.scanned.main.documents == len(DOCUMENTS_USED)


def test_an_unchanged_corpus_is_the_same_artifact(chain: Chain) -> None:
    again = call(chain)
    assert again.files.reused and again.rejects.reused
    assert (again.files.sha256, again.rejects.sha256) == (chain.scanned.files.sha256, chain.scanned.rejects.sha256)


@pytest.mark.parametrize(("lang", "ending"), [("es", "txt"), ("en", "txt"), ("es", "ann")])
def test_a_changed_file_is_noticed(own: Chain, lang: str, ending: str) -> None:
    changed = text(own, lang, ending=ending)
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert call(own).files.fingerprint != own.scanned.files.fingerprint


def test_what_stands_in_the_gold_of_a_target_is_not_noticed(own: Chain) -> None:
    text(own, "en", ending="ann").write_bytes(b"\xff anything")
    assert call(own).files.reused


def test_a_language_that_is_not_asked_for_is_not_noticed(own: Chain) -> None:
    (Path(own.corpus) / "it").mkdir()
    text(own, "it").write_text("Nulla.", encoding="utf-8")
    assert call(own).files.reused


def test_another_reject_is_another_artifact(own: Chain) -> None:
    text(own, "en", "nobody").write_text("No counterpart.", encoding="utf-8")
    again = call(own)
    assert again.files.fingerprint != own.scanned.files.fingerprint
    assert own.store.read(again.rejects)["code"].to_pylist() == ["no_counterpart"]


def test_the_number_of_shards_of_an_earlier_run_is_kept(chain: Chain) -> None:
    assert call(chain, config=ShardConfig(small=1)).shards == 4
    assert call(chain, config=ShardConfig(small=1), shards=2).shards == 2


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own).files, own.root, damage)
    assert_repaired(lambda: call(own).rejects, own.root, damage)


def test_a_language_without_documents_stops_it(chain: Chain) -> None:
    with pytest.raises(CorpusError, match="no documents in language nl"):
        call(chain, targets=["nl"])
