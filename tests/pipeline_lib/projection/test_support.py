"""Mentions of an outside tagger: found, read as gold is, and laid on the grid."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_contracts import REJECTS, SUPPORT
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, by_shard, scan_corpus
from pipeline_lib.projection.evidence import supported
from pipeline_lib.projection.support import (
    Place,
    SupportError,
    find_support,
    read_support,
    stray_support,
    support_arrays,
    support_hashes,
    tagged_files,
)
from tests.pipeline_lib.corpus.trees import corpus

TEXT = "fever, dry cough and pain"
ANN = b"T1\tDISEASE 0 5\tfever\nT2\tSYMPTOM 7 10;11 16\tdry cough\n"
HEADER = b"filename\tlabel\tstart_span\tend_span\ttext\n"
Rows = list[dict[str, Any]]


def tree(root: Path, files: dict[str, bytes]) -> Path:
    """Two documents in two languages below ``corpus``, and what else is given."""
    texts = {f"corpus/{lang}/{name}.txt": TEXT.encode() for lang in ("es", "en") for name in "ab"}
    return corpus(root, texts | files)


def read(root: Path, aliases: dict[str, str] | None = None, given: str = "tagger") -> tuple[Rows, Rows]:
    """Rows of SUPPORT and of REJECTS, of texts and strays, of all that is given for English."""
    folder = root / "corpus"
    files = by_shard(scan_corpus(folder, "es", ["en"], CorpusConfig(), ShardConfig()).files)["en", 0]
    place = find_support(root / given, ["en"], folder)["en"]
    hashes = dict(zip(files["document"].to_pylist(), files["sha256"].to_pylist(), strict=True))
    support, rejects = read_support(tagged_files(folder, files, place), hashes, place, aliases or {})
    strays = stray_support(folder, files, "en", place)
    SUPPORT.check(support)
    for table in (rejects, strays):
        REJECTS.check(table)
    return support.to_pylist(), [*rejects.to_pylist(), *strays.to_pylist()]


def spans(rows: Rows) -> list[tuple[object, ...]]:
    return [(row["document"], row["label"], row["starts"], row["ends"]) for row in rows]


@pytest.mark.parametrize(
    ("files", "given"),
    [
        ({"tagger/en/a.ann": ANN}, "tagger"),
        ({"tagger/a.ann": ANN}, "tagger"),
        ({"tagger/en/all.tsv": HEADER + b"a\tDISEASE\t0\t5\tfever\na.txt\tSYMPTOM\t7\t16\tdry cough\n"}, "tagger"),
        ({"tagger/all.tsv": HEADER + b"a\tDISEASE\t0\t5\tfever\na\tSYMPTOM\t7\t16\tdry cough\n"}, "tagger"),
        ({"tagger/all.tsv": HEADER + b"a\tDISEASE\t0\t5\tfever\na\tSYMPTOM\t7\t16\tdry cough\n"}, "tagger/all.tsv"),
    ],
    ids=["a folder of standoff", "standoff alone", "a folder with a TSV", "a TSV alone", "the TSV itself"],
)
def test_it_is_found_where_gold_is_found_for_the_score(files: dict[str, bytes], given: str, tmp_path: Path) -> None:
    support, rejects = read(tree(tmp_path, files), given=given)
    assert rejects == []
    assert [(row["document"], row["label"], min(row["starts"]), max(row["ends"])) for row in support] == [
        ("a", "DISEASE", 0, 5),
        ("a", "SYMPTOM", 7, 16),
    ]


def test_every_line_is_used_or_rejected(tmp_path: Path) -> None:
    lines = [b"T1\tDISEASE 0 5\tfever", b"T2\tDISEASE 0 5\tcough", b"T3\tDISEASE 5\tx", b"T4\tDISEASE 20 99\tpain", b"T5\tPAIN 21 25\tpain"]
    root = tree(tmp_path, {"tagger/en/a.ann": b"\n".join(lines), "tagger/en/b.ann": b"\xff", "tagger/en/other.ann": ANN})
    support, rejects = read(root)
    assert [row["line"] for row in support] + [row["line"] for row in rejects if row["document"] == "a"] == [1, 5, 2, 3, 4]
    assert {(row["stage"], row["lang"], row["file"].split("/")[0]) for row in rejects} == {("support", "en", "en")}
    assert [(row["document"], row["code"]) for row in rejects if row["document"] != "a"] == [
        ("b", "not_utf8"),
        ("other", "unknown_document"),
    ]


def test_every_row_is_used_or_rejected(tmp_path: Path) -> None:
    rows = b"a\tDISEASE\t0\t5\tfever\na\tDISEASE\t5\t0\tx\nb\tDISEASE\tx\t5\tx\nother\tDISEASE\t0\t5\tfever\na\tDISEASE\t0\t5\tcough\n"
    support, rejects = read(tree(tmp_path, {"tagger/en/t.tsv": HEADER + rows}))
    assert [(row["file"], row["line"]) for row in support] == [("en/t.tsv", 2)]
    assert sorted((row["line"], row["code"]) for row in rejects) == [
        (3, "bad_offsets"),
        (4, "bad_row"),
        (5, "unknown_document"),
        (6, "surface_mismatch"),
    ]
    assert {row["file"] for row in rejects} == {"en/t.tsv"}


def test_no_reject_tells_where_on_the_machine_the_files_lie(tmp_path: Path) -> None:
    root = tree(tmp_path, {"tagger/en/a.ann": b"T1\tDISEASE 0 5\tcough\n", "tagger/en/b.ann": b"\xff", "tagger/en/c.ann": b""})
    assert sorted(row["file"] for row in read(root)[1]) == ["en/a.ann", "en/b.ann", "en/c.ann"]


@pytest.mark.parametrize(("start", "counting"), [(15, "CRLF as two"), (14, "as brat does"), (13, "no BOM")])
def test_offsets_are_those_of_the_projection_whatever_the_tagger_counts(start: int, counting: str, tmp_path: Path) -> None:
    ann = f"T1\tSYMPTOM {start} {start + 5}\tfever\n".encode()
    root = tree(tmp_path, {"corpus/en/a.txt": "\ufeffno pain\r\nhigh fever".encode(), "tagger/en/a.ann": ann})
    assert spans(read(root)[0]) == [("a", "SYMPTOM", [14], [19])], counting


def test_labels_are_renamed_like_those_of_the_source(tmp_path: Path) -> None:
    root = tree(tmp_path, {"tagger/en/a.ann": b"T1\tSINTOMA 21 25\tpain\n"})
    assert spans(read(root, {"SINTOMA": "SYMPTOM"})[0]) == [("a", "SYMPTOM", [21], [25])]


def test_gold_beside_the_text_is_not_looked_at(tmp_path: Path) -> None:
    root = tree(tmp_path, {"corpus/en/a.ann": b"\xff", "corpus/en/b.ann": ANN, "tagger/en/a.ann": ANN})
    support, rejects = read(root)
    assert ({row["document"] for row in support}, rejects) == ({"a"}, [])


def test_a_text_that_changed_since_the_scan_stops_the_run(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"tagger/en/a.ann": ANN}) / "corpus"
    files = by_shard(scan_corpus(folder, "es", ["en"], CorpusConfig(), ShardConfig()).files)["en", 0]
    place = find_support(tmp_path / "tagger", ["en"], folder)["en"]
    with pytest.raises(CorpusError, match=r"en/a\.txt changed"):
        read_support(tagged_files(folder, files, place), {"a": "0" * 64}, place, {})


def test_hashes_change_with_what_annotates_their_text_alone(tmp_path: Path) -> None:
    root = tree(tmp_path, {"tagger/en/t.tsv": HEADER + b"a\tDISEASE\t0\t5\tfever\nb\tDISEASE\t0\t5\tfever\n"})
    files = by_shard(scan_corpus(root / "corpus", "es", ["en"], CorpusConfig(), ShardConfig()).files)["en", 0]

    def hashes() -> list[str]:
        place = find_support(root / "tagger", ["en"], root / "corpus")["en"]
        return support_hashes(tagged_files(root / "corpus", files, place), place)

    before = hashes()
    (root / "tagger/en/t.tsv").write_bytes(HEADER + b"a\tDISEASE\t0\t5\tfever\nb\tSYMPTOM\t0\t5\tfever\n")
    assert [old == new for old, new in zip(before, hashes(), strict=True)] == [True, False]


def test_two_spellings_of_a_language_are_one(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"tagger/cs/a.ann": ANN, "tagger/en/a.ann": ANN})
    places = find_support(root / "tagger", ["cz", "en"], root / "corpus")
    assert places == {lang: Place(root / "tagger", root / "tagger" / name) for lang, name in (("cz", "cs"), ("en", "en"))}


@pytest.mark.parametrize(
    ("files", "targets", "given", "said"),
    [
        ({}, ["en"], "nowhere", "no such file or folder"),
        ({"tagger/en/a.ann": ANN}, ["en", "it", "nl"], "tagger", "has nothing for it, nl: expected {lang}/"),
        ({"tagger/a.ann": ANN}, ["en", "it"], "tagger", "has nothing for en, it"),
        ({"tagger/en/a.txt": b"x"}, ["en"], "tagger", "has nothing for en: .* or these in the folder itself"),
        ({"tagger/en/a.tsv": HEADER, "tagger/en/b.tsv": HEADER}, ["en"], "tagger", "has 2 .tsv files"),
        ({"tagger/en/a.tsv": b"filename\tlabel\n"}, ["en"], "tagger", "lacks columns: .*start_span"),
        ({"tagger/en/a.tsv": b"\xff"}, ["en"], "tagger", "cannot be read as UTF-8"),
        ({"corpus/en/a.ann": ANN}, ["en"], "corpus", "below the corpus folder are its gold"),
        ({"corpus/en/a.ann": ANN}, ["en"], "corpus/en", "below the corpus folder are its gold"),
    ],
)
def test_what_is_missing_is_named(files: dict[str, bytes], targets: list[str], given: str, said: str, tmp_path: Path) -> None:
    root = tree(tmp_path, files)
    with pytest.raises(SupportError, match=said):
        find_support(root / given, targets, root / "corpus")


def test_a_link_to_gold_is_gold(tmp_path: Path) -> None:
    root = tree(tmp_path, {"corpus/en/a.ann": ANN, "tagger/it/a.ann": ANN, "linked/en/b.ann": ANN})
    (root / "tagger/en").symlink_to(root / "corpus/en")
    with pytest.raises(SupportError, match="are its gold"):
        find_support(root / "tagger", ["en"], root / "corpus")
    (root / "linked/en/a.ann").symlink_to(root / "corpus/en/a.ann")
    support, rejects = read(root, given="linked")
    assert {row["document"] for row in support} == {"b"}
    assert [(row["document"], row["code"]) for row in rejects] == [("a", "outside_corpus")]


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"tagger/en/a.ann": ANN})
    monkeypatch.chdir(tmp_path)
    assert find_support(Path("tagger"), ["en"], Path("corpus"))["en"] == Place(tmp_path / "tagger", tmp_path / "tagger" / "en")


def test_units_inside_a_mention_are_supported_for_its_label(tmp_path: Path) -> None:
    more = b"T3\tSYMPTOM 21 25\tpain\nT4\tSYMPTOM 7 25\tdry cough and pain\nT5\tDISEASE 5 6\t,\n"
    support, rejects = read(tree(tmp_path, {"tagger/en/a.ann": ANN + more}))
    units = split_units(TEXT)  # fever , dry cough and pain
    found = support_arrays(SUPPORT.table(support), {"a": GridText(TEXT, units.starts, units.ends, units.breaks)})
    assert rejects == []
    assert {label: layers.tolist() for label, layers in found["a"].items()} == {
        "DISEASE": [[1, 2, 0, 0, 0, 0]],
        # The longest first, dry and cough are fragments: mentions of their own.
        "SYMPTOM": [[0, 0, 1, 1, 1, 1], [0, 0, 2, 3, 0, 4]],
    }


def test_the_mention_that_the_signal_overlaps_most_supports_and_no_neighbour() -> None:
    tagged = np.array([[1, 1, 0, 2, 2, 2, 3], [0, 0, 0, 0, 4, 4, 4]])
    assert supported(np.array([0, 0, 0, 0.2, 0.9, 0.8, 0]), tagged).tolist() == [0, 0, 0, 1, 1, 1, 0]
    assert supported(np.array([0, 0, 0, 0, 0.9, 0.8, 0.7]), tagged).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert supported(np.array([0.9, 0, 0, 0, 0, 0, 0]), tagged).tolist() == [1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("signal", "tagged"),
    [([0, 0, 0.9], [[1, 1, 0]]), ([0.1, 0, 0.9], [[1, 1, 0]]), ([0, 0, 0.9], [[0, 0, 0]]), ([0, 0, 0], [[1, 1, 0]]), ([], [[]])],
    ids=["beside it", "barely", "no mention", "no signal", "no unit"],
)
def test_a_tagged_mention_that_the_alignment_has_no_part_in_supports_nothing(signal: list[float], tagged: list[list[float]]) -> None:
    assert supported(np.array(signal, dtype=np.float64), np.array(tagged, dtype=np.int64)).tolist() == [0] * len(signal)
