from dataclasses import fields
from pathlib import Path

import pytest

from data_contracts import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.storage.store import Store
from tasks.ingest import Ingested, ingest_shard
from tasks.scan import scan
from tests.tasks.chain import CORPUS, DAMAGES, SHARDS, Chain, assert_kept, assert_repaired, assert_reused, fingerprint

IN_SHARD_0, IN_SHARD_1 = "case-01", "case-03"


def call(chain: Chain, lang: str = "es", shard: int = 0) -> Ingested:
    return ingest_shard.fn(chain.root, chain.corpus, chain.scanned, lang, shard, CORPUS)


def address(chain: Chain, lang: str) -> str:
    """The fingerprint of shard 0 of ``lang`` after the corpus is scanned again."""
    scanned = scan.fn(chain.root, chain.corpus, "es", ["en"], CORPUS, SHARDS, None)
    return fingerprint(lambda: ingest_shard.fn(chain.root, chain.corpus, scanned, lang, 0, CORPUS))


def append(chain: Chain, file: str) -> None:
    path = Path(chain.corpus) / file
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("shard", [0, 1])
def test_all_four_tables_keep_their_contracts(chain: Chain, lang: str, shard: int) -> None:
    rows = chain.rows[lang, shard]
    for ref, contract in zip(
        (rows.documents, rows.mentions, rows.lines, rows.rejects), (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS), strict=True
    ):
        assert_kept(chain, ref, contract)
        assert ref.shard == f"{lang}/000{shard}-of-0002"


def test_the_texts_are_those_on_disk(chain: Chain) -> None:
    rows = [row for shard in (0, 1) for row in chain.store.read(chain.rows["en", shard].documents).to_pylist()]
    assert len(rows) == 4
    assert all(row["text"].encode() == (Path(chain.corpus) / row["file"]).read_bytes() for row in rows)


def test_every_mention_of_the_source_is_read_and_none_of_the_target(chain: Chain) -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (Path(chain.corpus) / "es").glob("*.ann"))
    assert sum(chain.rows["es", shard].mentions.rows for shard in (0, 1)) == lines > 30
    assert [chain.rows["en", shard].mentions.rows for shard in (0, 1)] == [0, 0]


def test_the_scan_is_read_once_for_all_shards_and_again_for_another_scan(own: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = Store.read
    monkeypatch.setattr(Store, "read", lambda self, ref, columns=None: [read.append(ref.contract), real(self, ref, columns)][1])
    for lang in ("es", "en"):
        for shard in (0, 1):
            call(own, lang, shard)
    assert read == ["corpus_files"]
    append(own, f"es/{IN_SHARD_0}.txt")
    assert address(own, "es") != own.rows["es", 0].documents.fingerprint
    assert read == ["corpus_files"] * 2


def test_progress_counts_its_documents(chain: Chain) -> None:
    assert chain.rows["es", 0].main == chain.rows["es", 0].documents
    assert chain.rows["es", 0].main.documents == 3


@pytest.mark.parametrize("table", [field.name for field in fields(Ingested)])
def test_a_second_call_reads_no_text(chain: Chain, table: str) -> None:
    assert_reused(lambda: getattr(call(chain), table), getattr(chain.rows["es", 0], table), "tasks.ingest.ingest")


@pytest.mark.parametrize(
    ("lang", "file", "noticed"),
    [
        ("es", f"es/{IN_SHARD_0}.txt", True),
        ("es", f"es/{IN_SHARD_0}.ann", True),
        ("en", f"en/{IN_SHARD_0}.txt", True),
        ("en", f"en/{IN_SHARD_0}.ann", False),
        ("es", f"en/{IN_SHARD_0}.txt", False),
        ("en", f"es/{IN_SHARD_0}.txt", False),
        ("es", f"es/{IN_SHARD_1}.txt", False),
        ("es", f"es/{IN_SHARD_1}.ann", False),
    ],
)
def test_a_shard_depends_on_its_own_files_alone(own: Chain, lang: str, file: str, noticed: bool) -> None:
    append(own, file)
    assert (address(own, lang) != own.rows[lang, 0].documents.fingerprint) is noticed


def test_a_shard_of_a_target_does_not_depend_on_whether_there_is_gold(own: Chain) -> None:
    (Path(own.corpus) / "en" / f"{IN_SHARD_0}.ann").unlink()
    assert address(own, "en") == own.rows["en", 0].documents.fingerprint


def test_a_shard_of_the_source_depends_on_whether_it_is_annotated(own: Chain) -> None:
    (Path(own.corpus) / "es" / f"{IN_SHARD_0}.ann").unlink()
    assert address(own, "es") != own.rows["es", 0].documents.fingerprint


def test_another_source_language_is_another_artifact(chain: Chain) -> None:
    scanned = scan.fn(chain.root, chain.corpus, "en", ["es"], CORPUS, SHARDS, None)
    assert (
        fingerprint(lambda: ingest_shard.fn(chain.root, chain.corpus, scanned, "en", 0, CORPUS))
        != chain.rows["en", 0].documents.fingerprint
    )


def test_a_file_that_changed_since_the_scan_stops_it(own: Chain) -> None:
    append(own, f"es/{IN_SHARD_0}.txt")
    (Path(own.root) / call(own).documents.key).unlink()
    with pytest.raises(CorpusError, match=f"{IN_SHARD_0}.txt changed"):
        call(own)


@DAMAGES
@pytest.mark.parametrize("table", ["documents", "mentions", "rejects"])
def test_a_damaged_table_is_made_again(own: Chain, table: str, damage: str) -> None:
    assert_repaired(lambda: getattr(call(own), table), own.root, damage)
