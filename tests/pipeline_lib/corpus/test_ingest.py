import hashlib
import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.documents import hash_file
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.ingest import NO_COUNTERPART, Scan, ShardConfig, files_of, ingest, scan_corpus, shard_of, text_file
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents, write_sample
from tests.pipeline_lib.corpus.trees import corpus

Tables = tuple[pa.Table, pa.Table, pa.Table, pa.Table]
CONTRACTS = (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS)
TEXTS = {"good": b"fiebre y tos", "empty": b" \n", "bytes": b"\xff\xfe"}
ANN_LINES = [
    "T1\tDISEASE 0 6\tfiebre",
    "T2\tDISEASE 9 12\ttos",
    "T3\tDISEASE 0 6;9 12\tfiebre tos",
    "T4\tDISEASE 0 6\tfever",
    "T5\tDISEASE 0 600\tfiebre",
    "T1\tSYMPTOM 9 12\ttos",
    "T6\tDISEASE 6 6\t",
    "T broken",
    "#1\tAnnotatorNotes T1\tno",
    "R1\tCause Arg1:T1 Arg2:T2",
    "",
    "T7\tDISEASE 7 8\ty",
]


def read(root: Path, scan: Scan, at_once: int = 16) -> Tables:
    parts = list(ingest(root, scan.files, scan.source, {}, at_once))
    for part in parts:
        for contract, table in zip(CONTRACTS, part, strict=True):
            contract.check(table)
    documents, mentions, lines, rejects, _ = (pa.concat_tables(tables) for tables in zip(*parts, strict=True))
    return documents, mentions, lines, rejects


def scanned(root: Path, source: str = "es", targets: tuple[str, ...] = ("en",), shards: int | None = None) -> Scan:
    found = scan_corpus(root, source, targets, CorpusConfig(), ShardConfig(), shards)
    CORPUS_FILES.check(found.files)
    REJECTS.check(found.rejects)
    return found


def files_below(root: Path, suffix: str) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob(f"*{suffix}")}


def column(table: pa.Table, name: str) -> list[str]:
    values: list[str] = table[name].to_pylist()
    return values


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    root = tmp_path / "sample"
    write_sample(root, ["es", "en", "cz"], documents()[:3])
    return root


states = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "..unsafe"]), st.sampled_from([*TEXTS, "folder", "link", "ann only"]), max_size=5
)


def plant(folder: Path, states: dict[str, str], ann: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "common.txt").write_bytes(b"fiebre y tos")
    for name, state in states.items():
        text = folder / f"{name}.txt"
        if state in TEXTS:
            text.write_bytes(TEXTS[state])
        elif state == "folder":
            text.mkdir()
        elif state == "link":
            text.symlink_to("/etc/hostname")
        (folder / f"{name}.ann").write_bytes(ann)


@settings(max_examples=60, deadline=None)
@given(states, states, st.booleans())
def test_every_text_becomes_a_row_or_a_reject(source: dict[str, str], target: dict[str, str], twice: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plant(root / "es", source, b"")
        plant(root / "en", target, b"")
        scan = scanned(root, targets=("en", "en") if twice else ("en",))
        texts, _, _, rejects = read(root, scan)
        on_disk = files_below(root, ".txt")
    taken = {*column(scan.files, "file")}
    # A source text without counterpart stays; its reject is one of the target's.
    own = [row["file"] for row in scan.rejects.to_pylist() if row["file"].startswith(f"{row['lang']}/")]
    left = [name for name in own if name.endswith(".txt")]
    assert sorted([*taken, *left]) == sorted(on_disk)
    assert sorted([*column(texts, "file"), *column(rejects, "file")]) == sorted(taken)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(ANN_LINES), max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_annotation_line_becomes_a_mention_or_a_line_and_every_t_line_there_a_reject(
    written: list[str], terminator: str, ended: bool
) -> None:
    ann = terminator.join(written) + terminator * ended
    with tempfile.TemporaryDirectory() as folder:
        root = corpus(Path(folder), {"es/a.txt": b"fiebre y tos", "es/a.ann": ann.encode(), "en/a.txt": b"fever"})
        _, mentions, lines, rejects = read(root, scanned(root))
    count = ann.count("\n") + (ann != "" and not ann.endswith("\n"))
    assert sorted(mentions["line"].to_pylist() + lines["line"].to_pylist()) == list(range(1, count + 1))
    kinds = dict(zip(lines["line"].to_pylist(), column(lines, "kind"), strict=True))
    assert rejects["line"].to_pylist() == [line for line, kind in sorted(kinds.items()) if kind == "T"]
    assert {*column(rejects, "stage")} <= {"ingest"} and {*column(rejects, "file")} <= {"es/a.ann"}
    assert mentions.num_rows + lines.num_rows == count


def test_parts_of_any_size_hold_the_same_rows(sample: Path) -> None:
    scan = scanned(sample)
    whole = read(sample, scan, 100)
    assert whole[0].num_rows == 6 and whole[1].num_rows > 10
    for at_once in (1, 2, 3, 6):
        parts = list(ingest(sample, scan.files, scan.source, {}, at_once))
        assert [part[0].num_rows for part in parts] == [at_once] * (6 // at_once)
        assert all(table.equals(other) for table, other in zip(read(sample, scan, at_once), whole, strict=True))


def test_no_files_give_one_empty_part(sample: Path) -> None:
    (part,) = ingest(sample, CORPUS_FILES.schema.empty_table(), "es", {})
    assert [table.num_rows for table in part] == [0, 0, 0, 0, 0]


def test_only_the_source_has_mentions(sample: Path) -> None:
    texts, mentions, lines, rejects = read(sample, scanned(sample, targets=("en", "cz")))
    assert Counter(column(texts, "lang")) == {"es": 3, "en": 3, "cz": 3}
    assert {*column(mentions, "lang")} == {"es"}
    assert lines.num_rows == rejects.num_rows == 0


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


POISONS: dict[str, Callable[[Path], object]] = {
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "other mentions": lambda path: path.write_bytes(b"T1\tPOISON 0 1\tX\n"),
    "a folder": as_folder,
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_what_the_annotations_of_a_target_say_changes_nothing(poison: Callable[[Path], object], sample: Path) -> None:
    before = scanned(sample)
    tables = read(sample, before)
    for path in (sample / "en").glob("*.ann"):
        poison(path)
    after = scanned(sample)
    assert after.files.equals(before.files) and after.rejects.equals(before.rejects)
    assert all(table.equals(other) for table, other in zip(read(sample, after), tables, strict=True))


def test_the_annotations_of_a_target_are_never_opened(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = io.open

    def watched(file: object, *arguments: object, **options: object) -> object:
        opened.append(str(file))
        return real(file, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(io, "open", watched)
    read(sample, scanned(sample))
    opened = [Path(name).relative_to(sample).as_posix() for name in opened if name.startswith(str(sample))]
    assert {*opened} == {f"{lang}/{name}.txt" for lang in ("es", "en") for name in documents()[:3]} | {
        f"es/{name}.ann" for name in documents()[:3]
    }


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


def test_a_file_that_cannot_be_read_has_an_empty_hash(tmp_path: Path) -> None:
    assert hash_file(tmp_path) == hash_file(tmp_path / "missing") == hash_file(Path(os.devnull)) == ""
    (tmp_path / "empty").write_bytes(b"")
    assert hash_file(tmp_path / "empty") == hashlib.sha256(b"").hexdigest()


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


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def damage(path: Path) -> None:
    path.write_bytes(b"\xff")


CHANGES: dict[str, Callable[[Path], object]] = {"rewritten": rewrite, "damaged": damage, "emptied": lambda p: p.write_bytes(b"")}


@pytest.mark.parametrize("file", ["es/case-01.txt", "en/case-01.txt", "es/case-01.ann"])
@pytest.mark.parametrize("change", [*CHANGES.values(), Path.unlink, as_folder], ids=[*CHANGES, "deleted", "a folder"])
def test_a_file_that_changed_since_the_scan_stops_the_ingest(file: str, change: Callable[[Path], object], sample: Path) -> None:
    scan = scanned(sample)
    change(sample / file)
    with pytest.raises(CorpusError, match=file):
        read(sample, scan)
    read(sample, scanned(sample))


def test_a_gold_file_that_changed_since_the_scan_does_not_matter(sample: Path) -> None:
    scan = scanned(sample)
    before = read(sample, scan)
    shutil.rmtree(sample / "cz")
    for path in (sample / "en").glob("*.ann"):
        rewrite(path)
    assert all(table.equals(other) for table, other in zip(read(sample, scan), before, strict=True))


def test_what_was_unreadable_at_the_scan_is_a_reject_and_no_change(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"es/a.txt": b"tos", "en/a.txt": b"cough", "es/b.txt": b"\xff", "en/b.txt": b"x"})
    (root / "es/a.ann").mkdir()
    (root / "en/c.txt").mkdir()
    (root / "es/c.txt").write_bytes(b"tos")
    texts, _, _, rejects = read(root, scanned(root))
    assert column(texts, "file") == ["en/a.txt", "es/a.txt", "en/b.txt", "es/c.txt"]
    assert sorted((row["file"], row["code"]) for row in rejects.to_pylist()) == [
        ("en/c.txt", "unreadable"),
        ("es/a.ann", "unreadable"),
        ("es/b.txt", "not_utf8"),
    ]


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


def test_an_earlier_number_of_shards_is_kept(sample: Path) -> None:
    assert scanned(sample).shards == 1
    assert scanned(sample, shards=4).shards == 4
    assert {row["shard"] for row in scanned(sample, shards=4).files.to_pylist()} == {shard_of(name, 4) for name in documents()[:3]}


def test_files_of_a_language_and_shard_partition_the_scan(sample: Path) -> None:
    files = scanned(sample, shards=4).files
    parts = [files_of(files, lang, shard) for lang in ("en", "es") for shard in range(4)]
    for part in parts:
        CORPUS_FILES.check(part)
    order = [("lang", "ascending"), ("document", "ascending")]
    assert pa.concat_tables(parts).sort_by(order).equals(files.sort_by(order))
    assert files_of(files, "it", 0).num_rows == 0


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


def test_rows_of_the_source_s_tsv_that_no_text_answers_to_are_rejects_of_the_scan(tmp_path: Path) -> None:
    table = b"filename\tlabel\tstart_span\tend_span\na\tD\t0\t3\nz\tD\t0\t3\n"
    root = corpus(tmp_path, {"es/a.txt": b"tos", "en/a.txt": b"cough", "es.tsv": table, "en.tsv": b"not looked at"})
    found = scanned(root)
    assert [(row["file"], row["line"], row["code"]) for row in found.rejects.to_pylist()] == [("es.tsv", 3, "unknown_document")]
    assert read(root, found)[1].num_rows == 1


def test_an_aliased_label_is_ingested_under_its_name(sample: Path) -> None:
    scan = scanned(sample)
    (_, mentions, *_), *_ = ingest(sample, scan.files, "es", {"DISEASE": "ENFERMEDAD"}, 100)
    labels = {*column(mentions, "label")}
    assert "ENFERMEDAD" in labels and "DISEASE" not in labels
