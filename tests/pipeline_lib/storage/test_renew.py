from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from data_contracts.contract import Contract, ContractError, Rule, column
from pipeline_lib.storage import renew
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients
from pipeline_lib.storage.renew import Built, Work, document_hashes, hashes_of, renewed_tables
from pipeline_lib.storage.store import Store

WORDS = Contract("words", 1, "", pa.schema([column("document", pa.string(), ""), column("word", pa.string(), "")]), ())
COUNTS = Contract("counts", 1, "", pa.schema([column("document", pa.string(), ""), column("letters", pa.int64(), "")]), ())
MADE_OF = Ingredients("words@1", {}, ("a",), "code", {})

Texts = dict[str, list[str]]


class Builds:
    """Builds shards of texts, and remembers which documents it was asked for."""

    def __init__(self, root: Path) -> None:
        self.store = Store(str(root))
        self.asked: list[str] = []
        self.seconds: dict[str, float] = {}

    def of(self, texts: Texts, recipe: str = "recipe") -> ArtifactRef:
        made_of = replace(MADE_OF, inputs=(recipe, repr(texts)))

        def build(documents: Sequence[str]) -> Iterator[Built]:
            self.asked += documents
            for start in range(0, len(documents), 2):
                some = documents[start : start + 2]
                words = [{"document": name, "word": f"{recipe} {word}"} for name in some for word in texts[name]]
                counts = [{"document": name, "letters": sum(map(len, texts[name]))} for name in some]
                yield Built(some, (WORDS.table(words), COUNTS.table(counts)), {name: self.seconds.get(name, 0.0) for name in some})

        hashes = {name: repr(words) for name, words in texts.items()}
        words, counts = renewed_tables(self.store, [WORDS, COUNTS], "es/0", made_of, recipe, lambda: Work(hashes, build))
        assert dict(zip(texts, self.store.read(counts)["letters"].to_pylist(), strict=True)) == {
            name: sum(map(len, found)) for name, found in texts.items()
        }
        return words

    def words(self, ref: ArtifactRef) -> Texts:
        found: Texts = {}
        for row in self.store.read(ref).to_pylist():
            found.setdefault(row["document"], []).append(row["word"])
        return found


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(tmp_path)


TEXTS = {"d1": ["one", "two"], "d2": ["three"], "d3": ["four", "five"]}


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        (TEXTS | {"d2": ["other"]}, ["d2"]),
        (TEXTS | {"d4": ["new"]}, ["d4"]),
        ({"d0": ["new"], **TEXTS}, ["d0"]),
        ({"d1": ["one", "two"], "d3": ["four", "five"]}, []),
        (TEXTS | {"d3": []}, ["d3"]),
        ({}, []),
    ],
    ids=["changed", "added", "added in front", "removed", "emptied", "all gone"],
)
def test_only_what_is_new_is_built_and_the_bytes_are_those_of_a_build_from_nothing(now: Texts, asked: list[str], tmp_path: Path) -> None:
    renewed, anew = Builds(tmp_path / "renewed"), Builds(tmp_path / "anew")
    renewed.of(TEXTS)
    renewed.asked.clear()
    again, first = renewed.of(now), anew.of(now)
    assert renewed.asked == asked and anew.asked == list(now)
    assert (again.sha256, again.record_md5) == (first.sha256, first.record_md5)
    assert renewed.words(again) == {name: [f"recipe {word}" for word in words] for name, words in now.items() if words}


def test_rows_of_a_document_without_any_are_kept_as_none(builds: Builds) -> None:
    builds.of({"d1": [], "d2": ["x"]})
    builds.asked.clear()
    builds.of({"d1": [], "d2": ["y"]})
    assert builds.asked == ["d2"]


def test_another_recipe_takes_nothing_over(builds: Builds) -> None:
    builds.of(TEXTS)
    assert builds.words(builds.of(TEXTS, "other")) == {name: [f"other {word}" for word in words] for name, words in TEXTS.items()}
    assert builds.asked == [*TEXTS, *TEXTS]


def test_the_build_that_was_written_last_is_taken_over(builds: Builds) -> None:
    builds.of(TEXTS)
    builds.of(TEXTS | {"d1": ["other"]})
    builds.asked.clear()
    builds.of(TEXTS | {"d1": ["other"], "d2": ["other"]})
    assert builds.asked == ["d2"]


@pytest.mark.parametrize("damage", ["bytes", "record"])
def test_nothing_is_taken_from_a_damaged_build(builds: Builds, damage: str) -> None:
    ref = builds.of(TEXTS)
    file = Path(builds.store.root) / (ref.key if damage == "bytes" else ref.record_key)
    file.write_bytes(file.read_bytes()[:-5])
    builds.asked.clear()
    now = TEXTS | {"d2": ["other"]}
    assert builds.words(builds.of(now))["d1"] == ["recipe one", "recipe two"]
    assert builds.asked == list(now)


def test_rows_that_are_built_are_checked(tmp_path: Path) -> None:
    short = replace(WORDS, rules=(Rule("short", "", pl.col("word").str.len_chars() < 5),))

    def build(documents: Sequence[str]) -> Iterator[Built]:
        return iter([Built(documents, (WORDS.table([{"document": name, "word": word} for name in documents for word in TEXTS[name]]),))])

    with pytest.raises(ContractError, match="short: 1 rows"):
        renewed_tables(Store(str(tmp_path)), [short], "es/0", MADE_OF, "recipe", lambda: Work({"d1": "1", "d2": "2"}, build))


def test_row_groups_hold_so_many_documents_whoever_was_built_when(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renew, "AT_ONCE", 2)
    builds.of(TEXTS)
    ref = builds.of(TEXTS | {"d2": ["other"]})
    assert [part["document"].unique().to_pylist() for part in builds.store.scan(ref)] == [["d1", "d2"], ["d3"]]


def test_the_documents_that_took_longest_are_named_the_longest_first(builds: Builds) -> None:
    builds.seconds = {"d1": 1.0, "d2": 3.0, "d3": 2.0}
    assert builds.of(TEXTS).slowest == (("d2", 3.0), ("d3", 2.0), ("d1", 1.0))
    builds.seconds["d3"] = 9.0
    assert builds.of(TEXTS | {"d3": ["other"]}).slowest == (("d3", 9.0),)


def test_a_documents_hash_is_of_its_own_rows_alone() -> None:
    table = WORDS.table([{"document": name, "word": word} for name, words in TEXTS.items() for word in words])
    other = WORDS.table([{"document": "d2", "word": "three"}, {"document": "d3", "word": "six"}])
    ours, theirs = document_hashes(["d1", "d2", "d3"], [table]), document_hashes(["d2", "d3"], [other])
    assert ours["d2"] == theirs["d2"] and ours["d3"] != theirs["d3"]
    assert len(set(ours.values())) == 3


@pytest.mark.parametrize("other", [[2, 1], [1], [1, 2, 3], []])
def test_a_documents_hash_sees_into_lists(other: list[int]) -> None:
    table = pa.table({"document": ["d"], "starts": pa.array([[1, 2]], pa.list_(pa.int32()))})
    changed = pa.table({"document": ["d"], "starts": pa.array([other], pa.list_(pa.int32()))})
    assert document_hashes(["d"], [table]) != document_hashes(["d"], [changed])


def test_a_documents_hash_tells_in_which_table_a_row_is() -> None:
    row = WORDS.table([{"document": "d", "word": "x"}])
    assert document_hashes(["d"], [row, row.slice(0, 0)]) != document_hashes(["d"], [row.slice(0, 0), row])


def test_the_hash_of_a_renewed_document_changes_with_what_it_is_made_of_and_with_the_recipe(builds: Builds) -> None:
    first, second, other = (hashes_of(builds.store, builds.of(*made)) for made in ((TEXTS,), (TEXTS | {"d2": ["x"]},), (TEXTS, "other")))
    assert [name for name in TEXTS if first[name] != second[name]] == ["d2"]
    assert not set(first.values()) & set(other.values())


def test_the_hash_of_a_document_that_was_not_renewed_is_that_of_its_rows(builds: Builds) -> None:
    table = WORDS.table([{"document": name, "word": word} for name, words in TEXTS.items() for word in words])
    ref = builds.store.table(WORDS, "es/0", MADE_OF, lambda: [table])
    assert hashes_of(builds.store, ref) == document_hashes(TEXTS, [table])
