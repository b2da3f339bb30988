from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.projection import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.units import GridText
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents as sample_documents
from pipeline_lib.corpus.samples import write_sample
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.corpus.text import slices
from pipeline_lib.projection.decode import DecodeConfig, place_fragments
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import VoteConfig
from tests.pipeline_lib.projection.pairs import gather, gather_identity, grids, nothing_known, pair_texts, plan_row, posterior_row
from tests.pipeline_lib.projection.rows import Fragments, annotation_lines, mentions

Texts = dict[str, str]
Row = dict[str, object]
OURS = DecodeConfig()
CONFIGS = [OURS, DecodeConfig(decoder="paper")]
SICK = "Fiebre alta, tos seca y dolor abdominopelvico izquierdo."


def shard(texts: Texts) -> TargetShard:
    return TargetShard("en", grids(texts), "f00d")


def project(found: pa.Table, source: Texts, target: Texts, candidates: pa.Table, config: DecodeConfig = OURS) -> list[Row]:
    return project_with(annotation_lines(), found, source, target, candidates, config)[0]


def project_with(
    lines: pa.Table, found: pa.Table, source: Texts, target: Texts, candidates: pa.Table, config: DecodeConfig = OURS, at_once: int = 2
) -> tuple[list[Row], list[Row]]:
    """Rows of PROJECTIONS and of CARRIED_LINES, of a corpus that says nothing."""
    placed = place_fragments(candidates, nothing_known(), VoteConfig(), config)
    parts = list(project_tables(found, lines, grids(source), shard(target), placed, at_once))
    for projections, carried in parts:
        PROJECTIONS.check(projections)
        CARRIED_LINES.check(carried)
    projections, carried = (pa.concat_tables(tables).to_pylist() for tables in zip(*parts, strict=True))
    return projections, carried


def identity(found: pa.Table, texts: Texts, config: DecodeConfig = OURS) -> list[Row]:
    """Rows of PROJECTIONS where the texts are their own translations."""
    return project(found, texts, texts, gather_identity(found, texts), config)


def along(found: pa.Table, source: Texts, target: Texts, dense: Floats) -> list[Row]:
    """Rows of PROJECTIONS of one document whose plan and posteriors are the same shares."""
    return project(found, source, target, gather(found, pair_texts(source, target), [plan_row("d", dense)], [posterior_row("d", dense)]))


def ids(rows: list[Row]) -> list[tuple[object, object]]:
    return sorted((row["document"], row["mention"]) for row in rows)  # type: ignore[type-var]


def offsets(row: Row) -> Fragments:
    return list(zip(row["starts"], row["ends"], strict=True))  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Texts, pa.Table]:
    """The texts and mentions of the bundled Spanish corpus."""
    root = tmp_path_factory.mktemp("sample")
    write_sample(Path(root), ["es", "en"])
    scan = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig())
    found, annotated, *_ = (pa.concat_tables(tables) for tables in zip(*ingest(root, scan.files, "es", {}), strict=True))
    texts = {row["document"]: row["text"] for row in found.to_pylist() if row["lang"] == "es"}
    assert len(texts) == len(sample_documents()) and annotated.num_rows > 200
    return texts, annotated


def joined(fragments: Fragments, text: GridText) -> Fragments:
    """Fragments without a unit between them, made one."""
    merged: Fragments = []
    for start, end in sorted(fragments):
        if merged and text.units_of(start, end)[0] <= text.units_of(*merged[-1])[-1] + 1:
            start, end = merged[-1][0], max(end, merged.pop()[1])
        merged.append((start, end))
    return merged


@pytest.mark.parametrize("config", CONFIGS, ids=["maximum-sum", "paper"])
def test_the_bundled_corpus_projects_onto_itself(config: DecodeConfig, sample: tuple[Texts, pa.Table]) -> None:
    texts, annotated = sample
    rows = identity(annotated, texts, config)
    source = {(row["document"], row["mention"]): row for row in annotated.to_pylist()}
    assert ids(rows) == sorted(source)
    assert any(len(row["source_starts"]) > 1 for row in rows)  # type: ignore[arg-type]
    for row in rows:
        mention = source[row["document"], row["mention"]]
        fragments = list(zip(mention["starts"], mention["ends"], strict=True))
        assert offsets(row) == joined(fragments, grids({"d": texts[mention["document"]]})["d"])
        assert (row["source_starts"], row["source_ends"], row["source_surface"]) == (
            mention["starts"],
            mention["ends"],
            mention["surface"],
        )
        assert (row["label"], row["reason"], row["aligner"]) == (mention["label"], None, "f00d")
        assert row["surface"] == slices(texts[mention["document"]], row["starts"], row["ends"])  # type: ignore[arg-type]
        assert row["confidence"] > 0.5  # type: ignore[operator]


@pytest.mark.parametrize("config", CONFIGS, ids=["maximum-sum", "paper"])
@pytest.mark.parametrize(
    "fragments",
    [
        [(0, 6)],
        [(0, 11)],
        [(0, 11), (13, 21)],
        [(13, 16), (46, 55)],
        [(13, 21), (24, 29), (46, 55)],
        [(30, 38)],
        [(38, 44)],
        [(33, 41)],
        [(1, 5)],
        [(46, 54)],
        [(8, 19)],
        [(55, 56)],
        [(0, 56)],
    ],
)
def test_a_mention_of_any_form_keeps_its_offsets_in_an_identity_translation(fragments: Fragments, config: DecodeConfig) -> None:
    (row,) = identity(mentions({"d": SICK}, ("d", "T1", fragments)), {"d": SICK}, config)
    kept = joined(fragments, grids({"d": SICK})["d"])
    assert offsets(row) == kept
    assert row["surface"] == " ".join(SICK[start:end] for start, end in kept)


def test_nested_and_equal_mentions_get_a_row_each() -> None:
    spans = [("d", "T1", [(0, 11)]), ("d", "T2", [(0, 6)]), ("d", "T3", [(7, 11)]), ("d", "T4", [(0, 11)])]
    rows = identity(mentions({"d": SICK}, *spans), {"d": SICK})
    assert [(row["mention"], offsets(row)) for row in rows] == [(mention, fragments) for _, mention, fragments in spans]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=4),
    st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=9, max_size=9), min_size=9, max_size=9),
)
def test_projected_fragments_stand_in_text_order_and_apart_whatever_the_plan(
    pairs: list[tuple[int, int]], dense: list[list[float]]
) -> None:
    units = grids({"d": SICK})["d"]
    fragments = [(int(units.starts[min(pair)]), int(units.ends[max(pair)])) for pair in pairs]
    plan = np.minimum(np.array(dense) + 1e-6, 1.0)
    (row,) = along(mentions({"d": SICK}, ("d", "T1", fragments)), {"d": SICK}, {"d": SICK}, plan)
    found = offsets(row)
    assert all(start < end for start, end in found)
    assert all(former[1] < latter[0] for former, latter in pairwise(found))
    assert row["surface"] == " ".join(SICK[start:end] for start, end in found)


def test_fragments_stay_apart_where_the_target_keeps_them_apart_and_join_where_it_does_not() -> None:
    source = {"d": "dolor de pecho y espalda"}
    found = mentions(source, ("d", "T1", [(0, 8), (17, 24)]))
    apart, together = {"d": "pain of chest and back"}, {"d": "chest and pain of back"}
    moved = np.eye(5)[[2, 3, 0, 1, 4]]
    (kept,) = along(found, source, apart, np.eye(5))
    (joint,) = along(found, source, together, moved)
    assert (offsets(kept), kept["surface"]) == ([(0, 7), (18, 22)], "pain of back")
    assert (offsets(joint), joint["surface"]) == ([(10, 22)], "pain of back")


def test_projected_mentions_are_numbered_in_the_order_of_the_sources_lines_whatever_order_its_rows_have() -> None:
    found = mentions({"d": SICK}, ("d", "T9", [(0, 6)]), ("d", "T2", [(6, 7)]), ("d", "T5", [(7, 11)]))
    rows = identity(found.take([2, 0, 1]), {"d": SICK})
    assert [(row["mention"], row["target_mention"]) for row in rows] == [("T9", "T1"), ("T2", None), ("T5", "T2")]


def test_lines_go_with_their_mentions_document_by_document() -> None:
    source = {name: SICK for name in "abc"}
    found = mentions(source, ("a", "T1", [(6, 7)]), ("a", "T2", [(0, 6)]), ("b", "T1", [(0, 6)]), ("c", "T1", [(0, 6)]))
    lines = annotation_lines(("b", "A4\tOld T1"), ("a", "A4\tOld T1"), ("a", "A5\tOld T2"), ("c", "#\tNote T1\tx"), ("gone", "A1\tOld T1"))
    target = {"a": SICK, "b": SICK}
    _, carried = project_with(lines, found, source, target, gather_identity(found, target))
    assert {(row["document"], row["line"]): row["raw"] or row["reason"] for row in carried} == {
        ("b", 1001): "A1\tOld T1",
        ("a", 1002): "mention_not_projected",
        ("a", 1003): "A1\tOld T1",
        ("c", 1004): "mention_not_projected",
        ("gone", 1005): "dangling_reference",
    }


texts_of = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([SICK, "tos", "Dolor 2,5", "fiebre y tos"]), min_size=1)


@settings(max_examples=80, deadline=None)
@given(texts_of, st.data(), st.integers(1, 3))
def test_every_mention_gets_one_row_projected_or_with_a_reason(texts: Texts, data: st.DataObject, at_once: int) -> None:
    spans: list[tuple[str, str, Fragments]] = []
    for name in data.draw(st.lists(st.sampled_from(sorted(texts)), max_size=6)):
        start = data.draw(st.integers(0, len(texts[name]) - 1))
        spans.append((name, f"T{len(spans)}", [(start, data.draw(st.integers(start + 1, len(texts[name]))))]))
    planned = {name: text for name, text in texts.items() if data.draw(st.booleans())}
    blank = {name for name in planned if data.draw(st.booleans())}
    found = mentions(texts, *spans)
    lines = annotation_lines(*[(name, f"A{number}\tOld T{number}") for number, (name, _, _) in enumerate(spans)])
    candidates = gather_identity(found, {name: text for name, text in planned.items() if name not in blank})
    rows, carried = project_with(lines, found, texts, planned, candidates, at_once=at_once)
    assert [(row["document"], row["line"]) for row in sorted(carried, key=str)] == [
        (row["document"], row["line"]) for row in sorted(lines.to_pylist(), key=str)
    ]
    assert sum(row["raw"] is not None for row in carried) == sum(row["reason"] is None for row in rows)
    assert ids(rows) == ids(found.to_pylist())
    for row in rows:
        if row["document"] not in planned:
            assert (row["reason"], row["aligner"]) == ("no_target_document", "")
        elif texts[str(row["document"])][row["source_starts"][0] : row["source_ends"][0]].isspace():  # type: ignore[index]
            assert (row["reason"], row["aligner"]) == ("no_source_unit", "f00d")
        elif row["document"] in blank:
            assert (row["reason"], row["aligner"]) == ("no_aligned_unit", "f00d")
        else:
            assert row["reason"] is None
        assert (row["target_mention"] is None) == (row["reason"] is not None)
        if row["reason"] is not None:
            assert (row["starts"], row["ends"], row["surface"], row["confidence"]) == ([], [], "", 0.0)


def test_documents_without_mentions_give_no_rows() -> None:
    source = {"a": SICK, "b": SICK}
    assert ids(identity(mentions(source, ("b", "T1", [(0, 6)])), source)) == [("b", "T1")]


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_parts_hold_so_many_documents_and_together_every_row(at_once: int) -> None:
    source = {name: SICK for name in "abc"}
    found = mentions(source, *[(name, "T1", [(0, 6)]) for name in "bac"], ("a", "T2", [(7, 11)]))
    placed = place_fragments(gather_identity(found, source), nothing_known(), VoteConfig(), OURS)
    parts = list(project_tables(found, annotation_lines(("c", "A1\tOld T1")), grids(source), shard(source), placed, at_once))
    documents = [list(dict.fromkeys(rows["document"].to_pylist())) for rows, _ in parts]
    assert documents == [list("bac")[first : first + at_once] for first in range(0, 3, at_once)]
    assert [sum(tables[kind].num_rows for tables in parts) for kind in (0, 1)] == [4, 1]


def test_without_mentions_and_lines_there_is_one_empty_part() -> None:
    ((projections, carried),) = project_tables(mentions({}), annotation_lines(), {}, shard({}), {})
    assert (projections.num_rows, carried.num_rows) == (0, 0)
    assert projections.schema == PROJECTIONS.schema and carried.schema == CARRIED_LINES.schema


def test_a_document_without_a_target_says_so_and_names_no_aligner() -> None:
    found = mentions({"d": SICK}, ("d", "T1", [(0, 6)]))
    (row,) = project(found, {"d": SICK}, {}, gather_identity(found, {}))
    assert (row["reason"], row["aligner"], row["target_lang"]) == ("no_target_document", "", "en")


def test_a_mention_follows_its_plan_into_a_reordered_translation() -> None:
    source, target = {"d": "fiebre alta y tos"}, {"d": "Cough and high fever"}
    dense = np.eye(4)[::-1]
    found = mentions(source, ("d", "T1", [(0, 11)]), ("d", "T2", [(14, 17)]), ("d", "T3", [(0, 6), (14, 17)]))
    rows = along(found, source, target, dense)
    assert [(offsets(row), row["surface"]) for row in rows] == [
        ([(10, 20)], "high fever"),
        ([(0, 5)], "Cough"),
        ([(0, 5), (15, 20)], "Cough fever"),
    ]
    assert {(row["source_lang"], row["target_lang"]) for row in rows} == {("es", "en")}


def test_the_texts_of_both_sides_are_sliced_by_code_points() -> None:
    source, target = {"d": "\U0001f600 fiebre"}, {"d": "\U0001f600\U0001f600 fever"}
    dense = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    (row,) = along(mentions(source, ("d", "T1", [(2, 8)])), source, target, dense)
    assert offsets(row) == [(3, 8)] and row["surface"] == "fever" and row["source_surface"] == "fiebre"
