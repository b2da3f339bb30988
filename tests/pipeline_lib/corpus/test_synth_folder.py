import errno
import multiprocessing
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline_lib.corpus import synth_folder
from pipeline_lib.corpus.census import take_census
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.synth import SOURCE, TARGETS
from pipeline_lib.corpus.synth_folder import Order, SynthError, Tally, write_collection
from pipeline_lib.evaluation.scorer import label_statistics, score_of
from pipeline_lib.evaluation.sides import read_sides
from tests.pipeline_lib.corpus.scans import files_below, read, scanned


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synth_folder, "BATCH", 4)


def unheard(done: int, batches: int, documents: int) -> None:
    pass


def written(out: Path, documents: int = 6, seed: int = 1, first: int = 1, targets: tuple[str, ...] = TARGETS, processes: int = 1) -> Tally:
    return write_collection(out, Order(seed, range(first, first + documents), targets), processes, unheard)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_order_gives_the_same_bytes_whoever_writes_them(tmp_path: Path) -> None:
    told: list[tuple[int, int, int]] = []
    tally = write_collection(tmp_path / "two", Order(1, range(1, 19), TARGETS), 2, lambda *batch: told.append(batch))
    assert written(tmp_path / "one", 18) == tally
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert [done for done, _, _ in told] == [1, 2, 3, 4, 5]
    assert {batches for _, batches, _ in told} == {5}
    assert sorted(documents for _, _, documents in told) == [2, 4, 4, 4, 4]


def test_a_small_collection_is_the_beginning_of_a_large_one_and_first_goes_on(tmp_path: Path) -> None:
    for name, documents, first in (("whole", 12, 1), ("begun", 5, 1), ("rest", 7, 6)):
        written(tmp_path / name, documents, first=first)
    parts = [contents(tmp_path / name) for name in ("begun", "rest")]
    assert not parts[0].keys() & parts[1].keys()
    assert parts[0] | parts[1] == contents(tmp_path / "whole")


def test_another_seed_writes_other_documents_under_the_same_ids(tmp_path: Path) -> None:
    for seed in (1, 2):
        written(tmp_path / str(seed), seed=seed)
    one, other = (contents(tmp_path / str(seed)) for seed in (1, 2))
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)


def test_fewer_targets_leave_the_other_languages_as_they_are(tmp_path: Path) -> None:
    written(tmp_path / "all")
    written(tmp_path / "few", targets=("it", "cz"))
    whole, few = contents(tmp_path / "all"), contents(tmp_path / "few")
    assert few == {name: data for name, data in whole.items() if name[:2] in ("es", "it", "cz")}


def test_what_is_told_is_what_lies_there(tmp_path: Path) -> None:
    tally = written(tmp_path)
    files = contents(tmp_path)
    assert tally.size == sum(map(len, files.values()))
    assert tally.lengths == sorted(len(data.decode("utf-8")) for name, data in files.items() if re.fullmatch(r"es/.*\.txt", name))
    mentions = Counter(
        {
            lang: sum(data.count(b"\n") for name, data in files.items() if name.startswith(lang) and name.endswith(".ann"))
            for lang in (SOURCE, *TARGETS)
        }
    )
    assert tally.mentions == mentions
    assert len(files) == 6 * 7 * 2


def test_it_is_a_corpus_of_which_nothing_is_rejected(tmp_path: Path) -> None:
    tally = written(tmp_path)
    census = take_census(tmp_path, CorpusConfig())
    assert (census.rejects, census.mentions) == ([], tally.mentions)
    assert {warning.code for warning in census.warnings} <= {"same_label_nested", "discontinuous"}
    scan = scanned(tmp_path, SOURCE, TARGETS)
    documents, mentions, _, rejects = read(tmp_path, scan)
    assert (scan.rejects.num_rows, rejects.num_rows) == (0, 0)
    assert (documents.num_rows, mentions.num_rows) == (6 * 7, tally.mentions[SOURCE])
    assert len(files_below(tmp_path, ".txt")) == documents.num_rows


def test_its_gold_is_perfect_against_itself(tmp_path: Path) -> None:
    tally = written(tmp_path)
    frames = read_sides(tmp_path, tmp_path).frames
    assert frames.keys() == {SOURCE, *TARGETS}
    for lang, sides in frames.items():
        score = score_of(label_statistics(*sides), "strict")
        assert (score.f1, score.gold) == (1.0, tally.mentions[lang])


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SynthError, match=r"is not empty: choose another --out$"):
        written(tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SynthError, match=r"cannot write .*: Not a directory"):
        written(tmp_path / "file")


@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_is_kept_of_what_cannot_be_finished(processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: int, batches: int, documents: int) -> None:
        if done == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SynthError, match=r"cannot write .*: No space left on device"):
        write_collection(tmp_path, Order(1, range(1, 41), ("en",)), processes, stop)
    assert list(tmp_path.iterdir()) == []
    assert multiprocessing.active_children() == []


def test_a_full_disk_in_another_process_is_the_same_error(tmp_path: Path) -> None:
    """Its first file is there already: any error of the disk goes the same way."""

    def collide(done: int, batches: int, documents: int) -> None:
        (draft,) = tmp_path.glob(".writing-*")
        for number in range(1, 4001):
            (draft / "es" / f"synth-{number:06d}.ann").touch()

    with pytest.raises(SynthError, match=r"cannot write .*: File exists"):
        write_collection(tmp_path, Order(1, range(1, 4001), ("en",)), 2, collide)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_nothing_that_could_be_taken_as_whole(tmp_path: Path) -> None:
    def kill(done: int, batches: int, documents: int) -> None:
        for process in multiprocessing.active_children():
            process.kill()

    with pytest.raises(SynthError, match="ended early; nothing is kept"):
        write_collection(tmp_path, Order(1, range(1, 4001), ("en",)), 2, kill)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_command_has_left_is_cleared_and_no_corpus(tmp_path: Path) -> None:
    written(tmp_path / "corpus" / ".writing-abc")
    written(tmp_path / "corpus")
    written(tmp_path / "other")
    assert contents(tmp_path / "corpus") == contents(tmp_path / "other")
