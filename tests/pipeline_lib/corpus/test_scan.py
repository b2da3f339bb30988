"""Which files a run reads, and in which shard."""

import hashlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.corpus import CORPUS_FILES
from pipeline_lib.corpus.files import CorpusError, text_file
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents
from pipeline_lib.corpus.scan import NO_COUNTERPART, ShardConfig, by_shard, scan_corpus, shard_of
from tests.pipeline_lib.corpus.scans import column, scanned
from tests.pipeline_lib.corpus.trees import corpus


def test_the_scan_lists_hashes_of_texts_and_of_the_annotations_of_the_source_alone(sample: Path) -> None:
    (sample / "es" / f"{documents()[1]}.ann").unlink()
    for row in scanned(sample).files.to_pylist():
        path = sample / row["file"]
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        ann = path.with_suffix(".ann")
        assert row["annotations"] == (ann.relative_to(sample).as_posix() if ann.exists() else None)
        assert row["scored"] == ann.exists()
        known = row["lang"] == "es" and ann.exists()
        assert row["annotations_sha256"] == (hashlib.sha256(ann.read_bytes()).hexdigest() if known else None)
        assert text_file(sample, row).path == path


def test_a_text_without_counterpart_is_a_reject_of_the_target_both_ways(tmp_path: Path) -> None:
    names = ["es/both.txt", "en/both.txt", "it/both.txt", "es/ours.txt", "en/theirs.txt", "it/ours.txt"]
    found = scanned(corpus(tmp_path, dict.fromkeys(names, b"x")), targets=("en", "it"))
    assert [(row["file"], row["document"], row["lang"], row["code"], row["rule"], row["stage"]) for row in found.rejects.to_pylist()] == [
        ("es/ours.txt", "ours", "en", "no_counterpart", NO_COUNTERPART, "scan"),
        ("en/theirs.txt", "theirs", "en", "no_counterpart", NO_COUNTERPART, "scan"),
    ]
    assert column(found.files, "file") == ["en/both.txt", "es/both.txt", "it/both.txt", "es/ours.txt", "it/ours.txt"]


def test_unusable_files_are_rejects_of_the_scan(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["es/a.txt", "en/a.txt", "es/a..b.txt", "en/lone.ann"], b"x"))
    assert sorted((row["file"], row["code"]) for row in scanned(root).rejects.to_pylist()) == [
        ("en/lone.ann", "missing_text"),
        ("es/a..b.txt", "unsafe_name"),
    ]


def test_without_a_common_document_there_is_nothing_to_do(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["es/a.txt", "en/a.txt", "it/b.txt"], b"x"))
    scanned(root)
    with pytest.raises(CorpusError, match="both es and it"):
        scanned(root, targets=("en", "it"))
    with pytest.raises(CorpusError, match="ro"):
        scanned(root, targets=("ro",))


def test_languages_are_named_as_the_corpus_spells_them_and_once(sample: Path) -> None:
    found = scanned(sample, targets=("cs", "en", "cz", "en"))
    assert (found.source, found.targets) == ("es", ["cz", "en"])


def test_a_language_named_in_two_spellings_is_rejected_once(tmp_path: Path) -> None:
    root = corpus(tmp_path, dict.fromkeys(["es/a.txt", "es/b.txt", "cz/a.txt"], b"x"))
    assert scanned(root, targets=("cs", "cz")).rejects.num_rows == 1


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(1, 64))
def test_a_shard_is_one_of_those_there_are(document: str, shards: int) -> None:
    assert 0 <= shard_of(document, shards) < shards
    assert shard_of(document, 1) == 0


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(0, 6))
def test_twice_the_shards_split_each_shard_in_two(document: str, power: int) -> None:
    assert shard_of(document, 2 ** (power + 1)) % 2**power == shard_of(document, 2**power)


def test_the_shard_follows_from_the_id_alone(tmp_path: Path) -> None:
    """Written down, because stored runs depend on it."""
    assert [shard_of(name, 64) for name in ("case-01", "caso clínico 7", "症例")] == [58, 24, 33]
    names = [f"d{number}" for number in range(6)]
    for kept in (names, names[3:]):
        files = {f"{lang}/{name}.txt": name.encode() for name in kept for lang in ("es", "en")}
        found = scanned(corpus(tmp_path / kept[0], files), shards=8).files.to_pylist()
        assert all(row["shard"] == shard_of(row["document"], 8) for row in found) and len(found) == 2 * len(kept)


def test_shards_fill_evenly() -> None:
    filled = Counter(shard_of(f"case-{number}", 16) for number in range(3200))
    assert len(filled) == 16 and min(filled.values()) > 120 and max(filled.values()) < 290


configs = st.builds(ShardConfig, small=st.integers(1, 20), spread=st.integers(1, 100), large=st.integers(20, 600))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2000), configs)
def test_the_number_of_shards_is_a_power_of_two_and_grows_with_the_collection(documents: int, more: int, config: ShardConfig) -> None:
    count = config.count(documents)
    assert count >= 1 and count & (count - 1) == 0
    assert config.count(documents + more) >= count
    assert documents <= count * config.large
    assert count <= 2 * max(1, documents / config.small + 1, documents / config.large + 1)


@pytest.mark.parametrize(
    ("documents", "shards"), [(0, 1), (1, 1), (8, 1), (9, 2), (24, 4), (512, 64), (20_000, 64), (32_000, 64), (32_001, 128)]
)
def test_small_collections_have_few_shards_and_large_ones_full_ones(documents: int, shards: int) -> None:
    assert ShardConfig().count(documents) == shards


@pytest.mark.parametrize(
    ("documents", "before", "shards"),
    [(33_000, 64, 64), (64_000, 64, 64), (64_001, 64, 256), (100, 64, 64), (900, 1, 1), (1001, 1, 64)],
)
def test_a_number_that_was_chosen_before_stays_until_its_shards_are_twice_too_large(documents: int, before: int, shards: int) -> None:
    assert ShardConfig().count(documents, before) == shards


@pytest.mark.parametrize(("documents", "shards"), [(8, 1), (24, 4), (600, 8), (3000, 8), (10_000, 16), (30_000, 32)])
def test_where_single_documents_are_renewed_no_shard_is_small_for_their_sake(documents: int, shards: int) -> None:
    assert ShardConfig().by_document().count(documents) == shards


def test_an_earlier_number_of_shards_is_kept(sample: Path) -> None:
    assert scanned(sample).shards == 1
    assert scanned(sample, shards=4).shards == 4
    assert {row["shard"] for row in scanned(sample, shards=4).files.to_pylist()} == {shard_of(name, 4) for name in documents()[:3]}


def test_files_of_a_language_and_shard_partition_the_scan(sample: Path) -> None:
    files = scanned(sample, shards=4).files
    parts = by_shard(files)
    for (lang, shard), part in parts.items():
        CORPUS_FILES.check(part)
        assert {(row["lang"], row["shard"]) for row in part.to_pylist()} == {(lang, shard)}
    order = [("lang", "ascending"), ("document", "ascending")]
    assert pa.concat_tables(parts.values()).sort_by(order).equals(files.sort_by(order))
    assert len(parts) == 4 and ("it", 0) not in parts


def test_without_a_list_gold_counts_where_there_is_some(sample: Path) -> None:
    (sample / "en" / "case-01.ann").unlink()
    rows = {(row["document"], row["lang"]): row["scored"] for row in scanned(sample).files.to_pylist()}
    assert rows["case-01", "en"] is False and rows["case-02", "en"] is True


@pytest.mark.parametrize("listed", ["case-02\n", "filename\tscored\ncase-01\t0\ncase-02.txt\t1\n"])
def test_of_a_mixed_collection_the_listed_documents_count_and_no_others(sample: Path, listed: str) -> None:
    (sample / "scored.tsv").write_text(listed, encoding="utf-8")
    found = scan_corpus(sample, "es", ["en"], CorpusConfig(scored="scored.tsv"), ShardConfig())
    assert {row["document"] for row in found.files.to_pylist() if row["scored"]} == {"case-02"}
    assert found.rejects.num_rows == 0


def test_a_listed_document_may_be_named_as_its_file_is(tmp_path: Path) -> None:
    name = "C-{lang}-test-disease/txt/C-{lang}-test-disease-{number}.txt"
    files = {name.format(lang=lang, number=number): b"x" for lang in ("es", "en") for number in (1, 2)}
    gold = {text.replace("txt", "ann"): b"" for text in files if "-en-" in text}
    root = corpus(tmp_path, files | gold | {"ids.txt": b"C-en-test-disease-2\nabsent\n"})
    found = scan_corpus(root, "es", ["en"], CorpusConfig(scored="ids.txt"), ShardConfig())
    assert {row["file"].rsplit("/")[-1] for row in found.files.to_pylist() if row["scored"]} == {"C-en-test-disease-2.txt"}
    assert [(row["file"], row["code"], row["lang"]) for row in found.rejects.to_pylist()] == [("ids.txt", "unknown_scored", None)]
