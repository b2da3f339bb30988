from pathlib import Path
from typing import NoReturn

import pytest

from data_contracts import REJECTS, SUPPORT
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.corpus.scan import ShardConfig
from pipeline_lib.projection.support import find_support
from pipeline_lib.storage.store import Store
from tasks.scan import Scanned, scan
from tasks.support import Supported, find_strays, read_shard
from tests.pipeline_lib.corpus.trees import corpus

NAMES = documents()[:4]


class Given:
    """A scanned corpus of two shards, and a tagger that finds the first mention of each document's gold."""

    def __init__(self, root: Path) -> None:
        self.corpus, self.store, self.tagger = root / "corpus", str(root / "store"), root / "tagger" / "en"
        write_sample(self.corpus, languages=("es", "en"), documents=NAMES)
        gold = {name: (self.corpus / "en" / f"{name}.ann").read_text("utf-8") for name in NAMES}
        corpus(self.tagger, {f"{name}.ann": text.splitlines(keepends=True)[0].encode() for name, text in gold.items()})

    def scanned(self) -> Scanned:
        return scan.fn(self.store, str(self.corpus), "es", ["en"], CorpusConfig(), ShardConfig(small=2), None)

    def read(self, layout: CorpusConfig | None = None) -> dict[int, Supported]:
        found, place = self.scanned(), find_support(self.tagger.parent, ["en"], self.corpus)["en"]
        config = layout or CorpusConfig()
        return {shard: read_shard.fn(self.store, str(self.corpus), found, "en", shard, place, config) for shard in found.filled}

    def strays(self) -> list[str]:
        place = find_support(self.tagger.parent, ["en"], self.corpus)["en"]
        ref = find_strays.fn(self.store, str(self.corpus), self.scanned(), "en", place)
        REJECTS.check(Store(self.store).read(ref))
        return [row["code"] for row in Store(self.store).read(ref).to_pylist()]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path)


def test_every_shard_has_the_support_of_its_documents(given: Given) -> None:
    made, store = given.read(), Store(given.store)
    assert len(made) == 2
    for shard in made.values():
        SUPPORT.check(store.read(shard.main))
        REJECTS.check(store.read(shard.rejects))
    assert sorted(name for shard in made.values() for name in store.read(shard.main)["document"].to_pylist()) == NAMES
    assert given.strays() == []


def test_a_second_call_reads_nothing(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> NoReturn:
        raise AssertionError("read_support was called")

    first = given.read()
    monkeypatch.setattr("tasks.support.read_support", forbidden)
    again = given.read()
    assert [shard.main.key for shard in again.values()] == [shard.main.key for shard in first.values()]
    assert all(shard.main.reused for shard in again.values())


def test_a_changed_file_changes_its_shard_alone(given: Given) -> None:
    first = given.read()
    (given.tagger / f"{NAMES[0]}.ann").write_bytes(b"")
    again = given.read()
    assert sum(again[shard].main.fingerprint != first[shard].main.fingerprint for shard in first) == 1


def test_it_depends_on_the_aliases(given: Given) -> None:
    first, again = given.read(), given.read(CorpusConfig(aliases={"DISEASE": "ILLNESS"}))
    assert all(first[shard].main.fingerprint != again[shard].main.fingerprint for shard in first)


def test_the_gold_of_the_targets_is_not_opened_and_decides_nothing(given: Given) -> None:
    first = given.read()
    for path in (given.corpus / "en").glob("*.ann"):
        path.write_bytes(b"\xff")
    (given.corpus / "en" / f"{NAMES[0]}.ann").unlink()
    assert all(shard.main.reused for shard in given.read().values())
    assert {shard.main.key for shard in given.read().values()} == {shard.main.key for shard in first.values()}


def test_strays_are_looked_for_every_time(given: Given) -> None:
    assert given.strays() == []
    (given.tagger / "other.ann").write_bytes(b"T1\tDISEASE 0 5\tfever\n")
    assert given.strays() == ["unknown_document"]
