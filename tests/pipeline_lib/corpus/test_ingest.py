"""The rows of what a scan found."""

import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.corpus import CORPUS_FILES
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.samples import documents
from tests.pipeline_lib.corpus.scans import column, files_below, read, scanned
from tests.pipeline_lib.corpus.trees import corpus

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

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def note_and_open(file: object, *arguments: object, **options: object) -> object:
            opened.append(str(file))
            return real(file, *arguments, **options)

        return note_and_open

    for module in (io, os):
        monkeypatch.setattr(module, "open", watched(module.open))
    read(sample, scanned(sample))
    opened = [Path(name).relative_to(sample).as_posix() for name in opened if name.startswith(str(sample))]
    assert {*opened} == {f"{lang}/{name}.txt" for lang in ("es", "en") for name in documents()[:3]} | {
        f"es/{name}.ann" for name in documents()[:3]
    }


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
