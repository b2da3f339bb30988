from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from data_contracts.corpus import REJECTS
from data_contracts.evaluation import DOCUMENT_SCORES, SCORES
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents as sample_documents
from pipeline_lib.corpus.samples import write_sample
from pipeline_lib.corpus.scan import ShardConfig, by_shard, scan_corpus
from pipeline_lib.evaluation.gold import match_documents, official_rows, score_documents, stray_gold
from pipeline_lib.evaluation.resample import ResampleConfig, scores_of
from pipeline_lib.evaluation.scorer import label_statistics
from pipeline_lib.evaluation.sides import read_sides
from pipeline_lib.projection.export import run_tsv, tsv_rows
from tests.pipeline_lib.corpus.trees import corpus
from tests.pipeline_lib.projection.rows import documents, projected, projections

CONFIG = ResampleConfig(replicates=20)
TEXT = "fever, dry cough and pain"
ANN = b"T1\tDISEASE 0 5\tfever\nT2\tSYMPTOM 7 10;11 16\tdry cough\nT3\tSYMPTOM 21 25\tpain\n"
FOUND = [("T1", "DISEASE", [(0, 5)]), ("T2", "SYMPTOM", [(7, 16)]), ("T3", "SYMPTOM", [(21, 25)])]


def plain(root: Path, files: dict[str, bytes]) -> Path:
    """A corpus whose Spanish side has a text for each English one."""
    names = [name.removeprefix("en/") for name in files if name.endswith(".txt")]
    return corpus(root, {f"es/{name}": b"x" for name in [*names, "a.txt"]} | {"en/a.txt": TEXT.encode(), "en/a.ann": ANN} | files)


def score_projections(
    root: Path, files: pa.Table, found: pa.Table, lang: str, aliases: dict[str, str], at_once: int = 100
) -> tuple[pa.Table, pa.Table]:
    """SCORES and REJECTS, from so many documents at a time."""
    wanted = files.filter(files["scored"])
    parts = [wanted.slice(first, at_once) for first in range(0, max(wanted.num_rows, 1), at_once)]
    matched, rejects = zip(*(match_documents(root, part, found, lang, aliases) for part in parts), strict=True)
    for table in matched:
        DOCUMENT_SCORES.check(table)
    return score_documents(pa.concat_tables(matched), lang, CONFIG), pa.concat_tables([stray_gold(root, files), *rejects])


def scored(root: Path, found: pa.Table, lang: str = "en") -> tuple[dict[tuple[str, str], dict[str, object]], list[dict[str, object]]]:
    """Rows of SCORES by (label, metric), and rows of REJECTS."""
    scan = scan_corpus(root, "es", [lang], CorpusConfig(), ShardConfig())
    scores, rejects = score_projections(root, by_shard(scan.files)[lang, 0], found, lang, {})
    SCORES.check(scores)
    REJECTS.check(rejects)
    return {(row["label"], row["metric"]): row for row in scores.to_pylist()}, rejects.to_pylist()


def counts(row: dict[str, object]) -> tuple[object, ...]:
    return row["gold"], row["predicted"], row["matched"], row["documents"]


def rows(document: str) -> list[dict[str, object]]:
    return [projected(document, mention, label, fragments, TEXT) for mention, label, fragments in FOUND]


@pytest.mark.parametrize(("start", "counting"), [(15, "CRLF as two"), (14, "as brat does"), (13, "no BOM")])
def test_gold_is_scored_in_the_offsets_of_the_projection_whatever_it_counts(start: int, counting: str, tmp_path: Path) -> None:
    """Projected before anybody could know how the gold counts."""
    text = "\ufeffno pain\r\nhigh fever"
    root = plain(tmp_path, {"en/a.txt": text.encode(), "en/a.ann": f"T1\tSYMPTOM {start} {start + 5}\tfever\n".encode()})
    found, rejects = scored(root, projections(projected("a", "T1", "SYMPTOM", [(14, 19)], text.replace("\r\n", "\n"))))
    assert rejects == [] and counts(found["SYMPTOM", "strict"]) == (1, 1, 1, 1), counting


@pytest.mark.parametrize("at_once", [1, 3])
def test_how_many_documents_are_matched_at_a_time_does_not_show(at_once: int, tmp_path: Path) -> None:
    root = plain(tmp_path, {f"en/{name}.{end}": data for name in "bcd" for end, data in (("txt", TEXT.encode()), ("ann", ANN))})
    found = projections(*(row for name in "abcd" for row in rows(name)[: 3 if name < "c" else 2]))
    files = by_shard(scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig()).files)["en", 0]
    whole, parts = (score_projections(root, files, found, "en", {}, number)[0] for number in (100, at_once))
    assert parts == whole
    assert [row["gold"] for row in whole.to_pylist() if row["label"] == "SYMPTOM"] == [8, 8]


def test_labels_of_the_gold_are_renamed_like_those_of_the_source(tmp_path: Path) -> None:
    root = plain(tmp_path, {"en/a.ann": b"T1\tSINTOMA 21 25\tpain\n"})
    scan = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig())
    found = projections(projected("a", "T1", "SYMPTOM", [(21, 25)], TEXT))
    scores, _ = score_projections(root, by_shard(scan.files)["en", 0], found, "en", {"SINTOMA": "SYMPTOM"})
    assert [row["matched"] for row in scores.to_pylist() if row["label"] == "SYMPTOM" and row["metric"] == "strict"] == [1]


def test_the_gold_itself_scores_one(tmp_path: Path) -> None:
    write_sample(tmp_path, ["es", "en"])
    scan = scan_corpus(tmp_path, "es", ["en"], CorpusConfig(), ShardConfig(), shards=1)
    found = []
    for document in sample_documents():
        for line in (tmp_path / "en" / f"{document}.ann").read_text(encoding="utf-8").splitlines():
            mention, place, _ = line.split("\t")
            label, offsets = place.split(" ", 1)
            fragments = [(int(start), int(end)) for start, end in (pair.split() for pair in offsets.split(";"))]
            found.append(projected(document, mention, label, fragments, "x" * 9999))
    scores, rejects = score_projections(tmp_path, by_shard(scan.files)["en", 0], projections(*found), "en", {})
    assert rejects.num_rows == 0 and {*scores["f1"].to_pylist()} == {1.0}
    pooled = [row for row in scores.to_pylist() if row["label"] == "*" and row["metric"] == "strict"]
    assert counts(pooled[0]) == (len(found), len(found), len(found), len(sample_documents()))


def test_a_fragmented_mention_counts_with_its_envelope_on_both_sides(tmp_path: Path) -> None:
    root = plain(tmp_path, {})
    for fragments in ([(7, 16)], [(7, 10), (11, 16)], [(11, 16), (7, 10)]):
        scores, _ = scored(root, projections(projected("a", "T2", "SYMPTOM", fragments, TEXT)))
        assert counts(scores["SYMPTOM", "strict"]) == (2, 1, 1, 1)
    scores, _ = scored(root, projections(projected("a", "T2", "SYMPTOM", [(7, 10)], TEXT)))
    assert counts(scores["SYMPTOM", "strict"]) == (2, 1, 0, 1)
    assert scores["SYMPTOM", "char"]["precision"] == round(2 * 3 / (3 + 9), 4)


def test_the_envelope_of_gold_does_not_depend_on_the_order_of_its_fragments(tmp_path: Path) -> None:
    root = plain(tmp_path, {"en/a.ann": b"T1\tSYMPTOM 11 16;7 10\tcough dry\n"})
    scores, rejects = scored(root, projections(projected("a", "T1", "SYMPTOM", [(7, 16)], TEXT)))
    assert counts(scores["SYMPTOM", "strict"]) == (1, 1, 1, 1) and rejects == []


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNREADABLE = {
    "not UTF-8": lambda root: (root / "en/b.ann").write_bytes(b"\xff"),
    "a folder": lambda root: as_folder(root / "en/b.ann"),
    "the text is not UTF-8": lambda root: (root / "en/b.txt").write_bytes(b"\xff"),
    "the text is empty": lambda root: (root / "en/b.txt").write_bytes(b" "),
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE)
def test_a_document_whose_gold_cannot_be_read_is_not_scored_but_rejected(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    root = plain(tmp_path, {"en/b.txt": TEXT.encode(), "en/b.ann": ANN})
    found = projections(*rows("a"), *rows("b"))
    whole, none = scored(root, found)
    assert counts(whole["*", "strict"]) == (6, 6, 6, 2) and none == []
    damage(root)
    scores, rejects = scored(root, found)
    assert counts(scores["*", "strict"]) == (3, 3, 3, 1)
    assert [(row["stage"], row["document"], row["lang"], row["line"]) for row in rejects] == [("score", "b", "en", None)]


def test_a_document_without_gold_is_neither_scored_nor_rejected(tmp_path: Path) -> None:
    root = plain(tmp_path, {"en/b.txt": TEXT.encode()})
    scores, rejects = scored(root, projections(*rows("a"), *rows("b")))
    assert counts(scores["*", "strict"]) == (3, 3, 3, 1) and rejects == []


def test_predictions_in_a_document_with_empty_gold_are_wrong(tmp_path: Path) -> None:
    root = plain(tmp_path, {"en/b.txt": TEXT.encode(), "en/b.ann": b""})
    scores, rejects = scored(root, projections(*rows("a"), *rows("b")))
    assert counts(scores["*", "strict"]) == (3, 6, 3, 2) and rejects == []


def test_a_rejected_gold_line_is_a_reject_and_its_document_is_scored_without_it(tmp_path: Path) -> None:
    root = plain(tmp_path, {"en/a.ann": ANN + b"T4\tDISEASE 0 5\tcough\nT5 broken\n#1\tAnnotatorNotes T1\tx\n"})
    scores, rejects = scored(root, projections(*rows("a")))
    assert counts(scores["*", "strict"]) == (3, 3, 3, 1)
    assert [(row["stage"], row["file"], row["line"], row["code"]) for row in rejects] == [
        ("score", "en/a.ann", 4, "surface_mismatch"),
        ("score", "en/a.ann", 5, "bad_line"),
    ]


def test_abstentions_are_no_predictions_and_cost_recall(tmp_path: Path) -> None:
    found = projections(*rows("a")[:2], projected("a", "T3", "SYMPTOM", []))
    scores, _ = scored(plain(tmp_path, {}), found)
    assert counts(scores["SYMPTOM", "strict"]) == (2, 1, 1, 1)
    assert (scores["SYMPTOM", "strict"]["precision"], scores["SYMPTOM", "strict"]["recall"]) == (1.0, 0.5)


def test_scores_are_by_label_and_of_the_language_asked_for(tmp_path: Path) -> None:
    scores, _ = scored(plain(tmp_path, {}), projections(*rows("a")[1:], projected("a", "T1", "SYMPTOM", [(0, 5)], TEXT)))
    assert {*scores} == {(label, metric) for label in ("DISEASE", "SYMPTOM", "*") for metric in ("strict", "char")}
    assert counts(scores["DISEASE", "strict"]) == (1, 0, 0, 1) and counts(scores["SYMPTOM", "strict"]) == (2, 3, 2, 1)
    assert {row["target_lang"] for row in scores.values()} == {"en"}


def test_without_any_gold_the_pooled_scores_are_zero(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"es/a.txt": b"x", "en/a.txt": TEXT.encode()})
    scores, rejects = scored(root, projections(*rows("a")))
    assert {*scores} == {("*", "strict"), ("*", "char")} and rejects == []
    assert all(counts(row)[:2] == (0, 0) and row["f1"] == 0 for row in scores.values())


def test_official_rows_keep_the_order_and_hold_no_text() -> None:
    found = official_rows(
        projections(
            projected("b", "T1", "DISEASE", [(11, 16), (7, 10)], TEXT),
            projected("a", "T2", "DISEASE", []),
            projected("a", "T3", "SYMPTOM", [(21, 25)], TEXT),
        )
    )
    assert found.schema == {"filename": pl.String, "label": pl.String, "start_span": pl.Int64, "end_span": pl.Int64}
    assert found.rows() == [("b", "DISEASE", 7, 16), ("a", "SYMPTOM", 21, 25)]


def test_rows_of_a_gold_tsv_that_no_text_answers_to_are_rejects(tmp_path: Path) -> None:
    table = b"filename\tlabel\tstart_span\tend_span\na\tSYMPTOM\t21\t25\nz\tSYMPTOM\t0\t5\na\tSYMPTOM\t9\t9\n"
    root = corpus(tmp_path, {"es/a.txt": b"x", "en/a.txt": TEXT.encode(), "en.tsv": table})
    found, rejects = scored(root, projections(projected("a", "T1", "SYMPTOM", [(21, 25)], TEXT)))
    assert counts(found["SYMPTOM", "strict"]) == (1, 1, 1, 1)
    assert sorted((row["stage"], row["file"], row["line"], row["code"]) for row in rejects) == [
        ("score", "en.tsv", 3, "unknown_document"),
        ("score", "en.tsv", 4, "bad_offsets"),
    ]


def test_the_files_of_a_run_have_the_scores_of_the_run(tmp_path: Path) -> None:
    """Gold that counts otherwise than the run, has labels of its own and lines that are rejected."""
    text = "\ufeffno pain\r\nhigh fever"
    gold = b"T1\tSINTOMA 14 19\tfever\nT2\tSINTOMA 3 7\tpain\nT3\tSINTOMA 90 95\tfever\nT4\tSINTOMA 0 5\tfever\n#1\tnote T1\tx\n"
    root = plain(tmp_path / "corpus", {"en/b.txt": text.encode(), "en/b.ann": gold, "en/a.ann": ANN + b"T9 broken\n"})
    texts, aliases = {"a": TEXT, "b": text.replace("\r\n", "\n")}, {"SINTOMA": "SYMPTOM"}
    found = projections(*rows("a"), projected("b", "T1", "SYMPTOM", [(14, 19)], texts["b"]))
    scan = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig())
    of_run, rejects = score_projections(root, by_shard(scan.files)["en", 0], found, "en", aliases)
    (tmp_path / "run.tsv").write_text(run_tsv(tsv_rows(documents(texts), found, {name: name for name in texts})), encoding="utf-8")
    sides = read_sides(root / "en", tmp_path / "run.tsv", aliases=aliases)
    assert scores_of(label_statistics(*sides.frames[""]), "en", CONFIG).equals(of_run)
    assert sides.left_out == rejects.num_rows == 3
