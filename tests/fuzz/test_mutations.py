"""Damaged files of the bundled corpus: whatever comes in goes out as a row, a warning or a reject."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from data_contracts.alignment import POSTERIORS
from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, UNITS, WARNINGS
from data_contracts.projection import CANDIDATES, CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.units import GridText, grid_texts, units_table
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.corpus.companions import KINDS
from pipeline_lib.corpus.documents import ReadDocument, read_document
from pipeline_lib.corpus.files import TextFile, problem_row
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.corpus.standoff_rows import from_rows
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig, corpus_tables
from pipeline_lib.projection.decode import DecodeConfig, place_fragments
from pipeline_lib.projection.gather import PairTexts, candidate_tables
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import VoteConfig, corpus_knowledge
from tests.fuzz.mutants import Pair, mutant, originals
from tests.fuzz.tally import Tally

AT_ONCE = 500  # mutants whose tables are checked together
ONE_IN = 50  # mutants of which one goes through a whole corpus folder
NO_PAIRS: dict[str, list[float]] = {name: [] for name in ("rows", "columns", "forward", "backward")}
INGESTED = (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS)


@pytest.fixture(scope="module")
def mutants(pytestconfig: pytest.Config) -> list[Pair]:
    seed, pairs = pytestconfig.getoption("mutation_seed"), originals()
    return [mutant(seed, number, pairs) for number in range(pytestconfig.getoption("mutants"))]


def test_every_damaged_file_is_rows_warnings_and_rejects(mutants: list[Pair], tally: Tally, tmp_path: Path) -> None:
    for first in range(0, len(mutants), AT_ONCE):
        reads = []
        for number, pair in enumerate(mutants[first : first + AT_ONCE], start=first):
            try:
                reads.append(read_back(pair, f"m{number}", tmp_path, tally))
            except Exception as error:
                error.add_note(f"in mutant {number}")
                raise
        check_contracts(reads)
    tally.check_sum()


def test_a_folder_of_damaged_files_is_scanned_ingested_and_projected(mutants: list[Pair], tmp_path: Path) -> None:
    chosen = {f"m{number}": pair for number, pair in enumerate(mutants) if number % ONE_IN == 0}
    for name, pair in chosen.items():
        for file, data in ((f"es/{name}.txt", pair.text), (f"es/{name}.ann", pair.annotations), (f"en/{name}.txt", pair.text)):
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_bytes(data)
    scan = scan_corpus(tmp_path, "es", ["en"], CorpusConfig(), ShardConfig())
    CORPUS_FILES.check(scan.files)
    assert (scan.files.num_rows, scan.rejects.num_rows) == (2 * len(chosen), 0)
    parts = zip(*ingest(tmp_path, scan.files, "es", {}), strict=True)
    documents, mentions, lines, rejects, warnings = (pa.concat_tables(tables) for tables in parts)
    for contract, table in zip(INGESTED, (documents, mentions, lines, rejects, warnings), strict=True):
        contract.check(table)
    refused = sum(file.endswith(".txt") for file in rejects["file"].to_pylist())
    assert documents.num_rows + refused == scan.files.num_rows
    projections, carried = project_onto_itself(documents, mentions, lines)
    assert projections.num_rows == mentions.num_rows
    assert carried.num_rows == sum(kind in KINDS for kind in lines["kind"].to_pylist())
    assert pc.mean(pc.is_null(projections["reason"])).as_py() > 0.9


def read_back(pair: Pair, name: str, root: Path, tally: Tally) -> ReadDocument:
    """Read one pair from its files; count what went in and what came out, and hold the one against the other."""
    (root / "d.txt").write_bytes(pair.text)
    (root / "d.ann").write_bytes(pair.annotations)
    read = read_document(TextFile(root, name, "es", "d.txt", "d.ann"), with_annotations=True)
    whole = [(problem.file, problem.code) for problem in read.problems if problem.line is None]
    text, data = decoded(pair.text), decoded(pair.annotations)
    tally.texts += 1
    if text is None or not text.removeprefix("\ufeff").strip():
        assert whole == [("d.txt", "not_utf8" if text is None else "empty_document")]
        assert read == ReadDocument(None, problems=read.problems)
    elif data is None:
        assert whole == [("d.ann", "not_utf8")]
        assert read.document is not None and not read.mentions + read.lines
    else:
        assert read.document is not None and not whole
        assert from_rows(read.mentions, read.lines) == data
        tally.lines += data.count("\n") + (data != "" and not data.endswith("\n"))
        tally.claims += sum(re.match(r"T[0-9]|T\S*\t", line) is not None for line in data.removeprefix("\ufeff").split("\n"))
    tally.take(read)
    return read


def decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def check_contracts(reads: Sequence[ReadDocument]) -> None:
    rows = (
        [read.document for read in reads if read.document is not None],
        [row for read in reads for row in read.mentions],
        [row for read in reads for row in read.lines],
        [problem_row("ingest", problem) for read in reads for problem in read.problems],
        [problem_row("ingest", warning) for read in reads for warning in read.warnings],
    )
    for contract, found in zip(INGESTED, rows, strict=True):
        contract.check(contract.table(found))


def project_onto_itself(documents: pa.Table, mentions: pa.Table, lines: pa.Table) -> tuple[pa.Table, pa.Table]:
    """PROJECTIONS and CARRIED_LINES of texts that are their own translations."""
    source, target = grids(documents, "es"), grids(documents, "en")
    types = {name: TypedText(np.zeros(len(text.starts), dtype=np.int32), []) for name, text in target.items()}
    plans = [pa.Table.from_pylist([diagonal(name, len(source[name].starts), len(target[name].starts)) for name in source])]
    nothing = POSTERIORS.table([{"document": name, "source_lang": "es", "target_lang": "en", **NO_PAIRS} for name in source])
    texts = PairTexts(("es", "en"), source, target, types, np.zeros((2, 4)))
    (candidates,) = candidate_tables(mentions, texts, iter(plans), nothing, {}, CandidateConfig())
    CANDIDATES.check(candidates)
    edges, memory = corpus_tables([candidates], np.array([sum(len(text.starts) for text in target.values())]), ConsistencyConfig())
    placed = place_fragments(candidates, corpus_knowledge(edges, memory, VoteConfig()), DecodeConfig())
    parts = zip(*project_tables(mentions, lines, source, TargetShard("en", target, "f00d"), placed), strict=True)
    projections, carried = (pa.concat_tables(tables) for tables in parts)
    PROJECTIONS.check(projections)
    CARRIED_LINES.check(carried)
    return projections, carried


def grids(documents: pa.Table, lang: str) -> dict[str, GridText]:
    of_lang = documents.filter(pc.equal(documents["lang"], lang))
    units = units_table(of_lang)
    UNITS.check(units)
    return grid_texts(of_lang, units)


def diagonal(document: str, rows: int, columns: int) -> dict[str, object]:
    """A plan of one cell a row. The readings of a text and of its copy may differ by a unit, the byte order mark."""
    low, high = (np.minimum(np.arange(rows) + shift, columns).astype(np.int32) for shift in (0, 1))
    return {"document": document, "columns": columns, "low": low, "high": high, "plan": np.ones(int((high - low).sum()), dtype=np.float32)}
