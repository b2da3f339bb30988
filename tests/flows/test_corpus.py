from pathlib import Path

from prefect import flow

from data_contracts import MENTIONS
from flows.corpus import Corpus, read_corpus
from flows.watch import Watch
from pipeline_lib.storage.store import Store
from tests.flows.parts import NAMES, Parts
from tests.flows.tiny import quick


def documents(store: Store, corpus: Corpus, cell: tuple[str, int]) -> list[str]:
    names: list[str] = store.read(corpus.texts[cell].documents, ["document"])["document"].to_pylist()
    return names


def test_languages_are_spelled_as_the_corpus_does(parts: Parts) -> None:
    assert (parts.corpus.source, parts.corpus.targets) == ("es", ["en", "cz"])


def test_cells_are_the_target_languages_by_the_shards_that_hold_documents(parts: Parts) -> None:
    assert parts.corpus.shards == [0, 1]
    assert parts.corpus.cells == [("en", 0), ("en", 1), ("cz", 0), ("cz", 1)]
    assert set(parts.corpus.texts) == set(parts.corpus.rows) == {*parts.corpus.cells, ("es", 0), ("es", 1)}


def test_every_document_is_in_one_shard_the_same_in_every_language(parts: Parts) -> None:
    shards = {lang: [documents(parts.store, parts.corpus, (lang, shard)) for shard in parts.corpus.shards] for lang in ("es", "en", "cz")}
    assert sorted(name for shard in shards["es"] for name in shard) == NAMES
    assert shards["es"] == shards["en"] == shards["cz"]


def test_pairs_have_folders_of_their_own(parts: Parts) -> None:
    assert parts.corpus.pair("cz") == "es-cz"
    assert parts.corpus.pair_shard(("cz", 1)) == "es-cz/0001-of-0002"


def test_the_whole_of_a_language_goes_by_shard(parts: Parts) -> None:
    assert parts.corpus.whole("en") == [parts.corpus.texts["en", 0], parts.corpus.texts["en", 1]]


def test_texts_are_documents_with_their_own_units(parts: Parts) -> None:
    for cell, texts in parts.corpus.texts.items():
        assert texts.documents == parts.corpus.rows[cell].documents
        assert parts.store.read(texts.units, ["document"])["document"].to_pylist() == documents(parts.store, parts.corpus, cell)


def test_mentions_are_those_of_the_source(parts: Parts) -> None:
    refs = parts.corpus.mentions()
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in (parts.folder / "corpus" / "es").glob("*.ann"))
    assert {ref.contract for ref in refs} == {MENTIONS.name}
    assert sum(ref.rows for ref in refs) == lines > 30


def test_the_stages_are_scan_ingest_and_units(parts: Parts) -> None:
    assert [(stage.stage, stage.built) for stage in parts.watch.stages[:3]] == [("scan", 1), ("ingest", 6), ("units", 6)]


def test_the_shards_of_an_earlier_run_are_kept_and_only_filled_ones_are_worked_on(parts: Parts, tmp_path: Path) -> None:
    watch = Watch()

    @flow(persist_result=False)
    def read() -> Corpus:
        return read_corpus(str(tmp_path), str(parts.folder / "corpus"), "es", ["en"], quick("shards.small=2"), 16, watch)

    corpus = read()
    assert corpus.scanned.shards == 16
    assert len(corpus.shards) <= len(NAMES)
    assert set(corpus.rows) == {(lang, shard) for lang in ("es", "en") for shard in corpus.shards}
    assert sorted(name for shard in corpus.shards for name in documents(Store(str(tmp_path)), corpus, ("en", shard))) == NAMES
    assert corpus.pair_shard(corpus.cells[0]).endswith("-of-0016")
