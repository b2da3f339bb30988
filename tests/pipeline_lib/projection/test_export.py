import csv
import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents as sample_documents
from pipeline_lib.corpus.samples import write_sample
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.evaluation.annotations import read_tsv
from pipeline_lib.projection.export import HEADER, mention_lines, projected_files, run_tsv, source_files, tsv_rows
from pipeline_lib.storage.write import write_file
from tests.pipeline_lib.corpus.trees import corpus
from tests.pipeline_lib.projection.rows import carried, documents, projected, projections

TEXT = 'No fever, "dry" cough\nand\tpain in the left\r\narm.'
HOSTILE = [
    '"',
    '"open',
    'clo"se',
    "a\tb",
    "a\nb",
    "a\rb",
    "a\r\nb",
    '"\t\n"',
    " lead",
    "trail ",
    "'",
    "\\",
    "NA",
    "a\u2028b",
    "a\x85b",
    "#x",
]


def read(tsv: str) -> list[list[str]]:
    """As pandas.read_csv(sep="\\t") reads it: tabs, double quotes, every kind of line end."""
    return list(csv.reader(io.StringIO(tsv, newline=""), dialect="excel-tab", strict=True))


def tsv(texts: dict[str, str], *rows: dict[str, object]) -> str:
    return run_tsv(tsv_rows(documents(texts), projections(*rows), {name: name for name in texts}))


def surfaced(found: list[str]) -> str:
    """A TSV of documents that are mentions from first to last character, each its own, named by number."""
    texts = {f"{number:02}": surface for number, surface in enumerate(found)}
    return tsv(texts, *(projected(name, "T1", "DISEASE", [(0, len(text))], text) for name, text in texts.items()))


surfaces = st.one_of(st.sampled_from(HOSTILE), st.text(alphabet="ab\"\t\n\r '\\", min_size=1, max_size=8), st.text(min_size=1, max_size=8))


@settings(deadline=None)
@given(st.lists(surfaces, max_size=5))
@example(HOSTILE)
def test_the_official_reader_finds_the_same_rows_whatever_the_surfaces_hold(found: list[str]) -> None:
    header, *back = read(surfaced(found))
    assert header == list(HEADER) == ["filename", "label", "start_span", "end_span", "text"]
    assert back == [[f"{number:02}", "DISEASE", "0", str(len(surface)), surface] for number, surface in enumerate(found)]


@settings(deadline=None)
@given(st.lists(surfaces, max_size=5))
@example(HOSTILE)
def test_every_line_is_quoted_as_csv_quotes_what_holds_cr_or_lf(found: list[str]) -> None:
    rows = [[f"{number:02}", "DISEASE", "0", str(len(surface)), surface] for number, surface in enumerate(found)]
    written, at = surfaced(found), 0
    for row in [HEADER, *rows]:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter="\t", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerow(row)
        expected = line.getvalue().removesuffix("\r\n") + "\n"
        assert written[at : at + len(expected)] == expected
        at += len(expected)
    assert at == len(written)


@settings(deadline=None)
@given(st.lists(st.tuples(surfaces, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=3)), max_size=4))
def test_the_lines_of_mentions_are_those_that_brat_writes(found: list[tuple[str, list[tuple[int, int]]]]) -> None:
    mentions = [
        brat.Mention(f"T{number}", "L", *zip(*fragments, strict=True), surface, number, "\n", None)
        for number, (surface, fragments) in enumerate(found)
    ]
    columns = {name: [getattr(mention, name) for mention in mentions] for name in ("id", "label", "surface")}
    offsets = {name: [list(getattr(mention, name)) for mention in mentions] for name in ("starts", "ends")}
    types = {name: pl.List(pl.Int64) if name in offsets else pl.String for name in (*columns, *offsets)}
    frame = pl.DataFrame(columns | offsets, schema=types)
    assert mention_lines(frame, "id").to_list() == [brat.format_mention(mention) for mention in mentions]


def test_our_scorer_reads_the_same_rows(tmp_path: Path) -> None:
    write_file(tmp_path / "run.tsv", surfaced(HOSTILE))
    frame = read_tsv(tmp_path / "run.tsv")
    assert frame["text"].to_list() == HOSTILE
    assert frame["end_span"].to_list() == [len(surface) for surface in HOSTILE]


def test_plain_rows_are_plain_lines() -> None:
    assert tsv({"case-1": TEXT}, projected("case-1", "T1", "DISEASE", [(3, 8)], TEXT)) == (
        "filename\tlabel\tstart_span\tend_span\ttext\ncase-1\tDISEASE\t3\t8\tfever\n"
    )


def test_rows_are_sorted_by_file_and_offset_and_abstentions_left_out() -> None:
    found = tsv(
        {"b": TEXT, "a": TEXT},
        projected("b", "T1", "DISEASE", [(0, 2)], TEXT),
        projected("a", "T1", "SYMPTOM", [(3, 8)], TEXT),
        projected("a", "T2", "DISEASE", []),
        projected("a", "T3", "DISEASE", [(3, 8)], TEXT),
        projected("a", "T4", "DISEASE", [(3, 5)], TEXT),
        projected("a", "T5", "DISEASE", [(0, 9)], TEXT),
    )
    assert read(found)[1:] == [
        ["a", "DISEASE", "0", "9", "No fever,"],
        ["a", "DISEASE", "3", "5", "fe"],
        ["a", "DISEASE", "3", "8", "fever"],
        ["a", "SYMPTOM", "3", "8", "fever"],
        ["b", "DISEASE", "0", "2", "No"],
    ]


@pytest.mark.parametrize("fragments", [[(0, 2), (21, 24)], [(21, 24), (0, 2)], [(0, 5), (3, 24)]])
def test_the_text_of_a_fragmented_mention_is_all_that_lies_between_its_offsets(fragments: list[tuple[int, int]]) -> None:
    text = "\U0001f600 dry\tcough,\nno \u00e9pain now"
    (row,) = read(tsv({"a": text}, projected("a", "T1", "SYMPTOM", fragments, text)))[1:]
    assert row == ["a", "SYMPTOM", "0", "24", text[0:24]]


def test_rows_are_those_of_the_documents_given() -> None:
    rows = projections(projected("a", "T1", "DISEASE", [(0, 2)], TEXT), projected("b", "T1", "DISEASE", [(3, 8)], TEXT))
    assert tsv_rows(documents({"b": TEXT, "c": TEXT}), rows, {"b": "en-b", "c": "c"}).rows() == [("en-b", "DISEASE", 3, 8, "fever")]


def test_a_run_that_projected_nothing_has_its_header() -> None:
    only_header = "\t".join(HEADER) + "\n"
    assert tsv({"a": TEXT}) == only_header
    assert tsv({"a": TEXT}, projected("a", "T1", "DISEASE", [])) == only_header


@settings(deadline=None)
@given(st.data())
def test_annotation_files_parse_back_and_match_their_text(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet='ab é\n\r\t"\U0001f600\u0301', min_size=4, max_size=30))
    edges = data.draw(st.lists(st.lists(st.integers(0, len(text)), min_size=2, max_size=6, unique=True), max_size=4))
    spans = {}
    for number, places in enumerate(edges, start=1):
        places = sorted(places)
        spans[f"T{number}"] = list(zip(places[::2], places[1::2], strict=False))
    rows = projections(*(projected("d", mention, f"L{mention}", fragments, text) for mention, fragments in spans.items()))
    files = dict(projected_files(documents({"d": text, "unannotated": "x"}), rows, carried()))
    assert list(files) == ["d.txt", "d.ann", "unannotated.txt", "unannotated.ann"]
    assert files["d.txt"] == text and files["unannotated.ann"] == ""
    standoff = brat.check_against(brat.parse(files["d.ann"]), text)
    assert standoff.problems == () and standoff.others == ()
    assert [(m.id, m.label, list(zip(m.starts, m.ends, strict=True))) for m in standoff.mentions] == [
        (mention, f"L{mention}", fragments) for mention, fragments in spans.items()
    ]


def test_annotation_files_hold_mentions_and_then_lines_of_their_document_under_the_ids_of_the_target() -> None:
    texts = {"a": TEXT, "b": "Pain in arm"}
    rows = projections(
        projected("b", "T7", "SYMPTOM", [(0, 4), (8, 11)], texts["b"]) | {"target_mention": "T1"},
        projected("a", "T2", "DISEASE", [(3, 8)], TEXT),
        projected("a", "T1", "DISEASE", []),
        projected("elsewhere", "T1", "DISEASE", [(0, 1)], "x"),
    )
    lines = carried(
        ("b", "R1\tWith Arg1:T1 Arg2:T1\t"), ("a", None), ("a", "#1\tNote T2\té"), ("b", "*\tEquiv T1 T1"), ("gone", "A1\tOld T1")
    )
    assert dict(projected_files(documents(texts), rows, lines)) == {
        "a.txt": TEXT,
        "a.ann": "T2\tDISEASE 3 8\tfever\n#1\tNote T2\té\n",
        "b.txt": "Pain in arm",
        "b.ann": "T1\tSYMPTOM 0 4;8 11\tPain arm\nR1\tWith Arg1:T1 Arg2:T1\t\n*\tEquiv T1 T1\n",
    }


def ingested(root: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    scan = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig())
    found, mentions, lines, *_ = (pa.concat_tables(part) for part in zip(*ingest(root, scan.files, "es", {}), strict=True))
    return found.filter(pc.equal(found["lang"], "es")), mentions, lines


def test_source_files_are_written_back_byte_for_byte(tmp_path: Path) -> None:
    write_sample(tmp_path / "c", ["es", "en"], sample_documents()[:4])
    odd = b"T1\tDISEASE 0 3\ttos\r\nnot a line\nT2\tDISEASE 0 99\tx\n#1\tAnnotatorNotes T1\tn\nT9 broken"
    root = corpus(tmp_path / "c", {"es/z.txt": b"tos seca", "es/z.ann": odd, "en/z.txt": b"dry cough", "es/y.txt": b"tos"})
    found = dict(source_files(*ingested(root)))
    assert found["z.ann"].encode() == odd and found["y.ann"] == ""
    names = [*sample_documents()[:4], "y", "z"]
    assert list(found) == [f"{name}{suffix}" for name in names for suffix in (".txt", ".ann")]
    for name in [*sample_documents()[:4], "z"]:
        assert found[f"{name}.txt"].encode() == (root / "es" / f"{name}.txt").read_bytes()
        assert found[f"{name}.ann"].encode() == (root / "es" / f"{name}.ann").read_bytes()
