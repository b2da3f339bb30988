"""Laws of the tables that come with a corpus or go out of it, whatever is in their cells."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline_lib.corpus.files import CorpusError, Discovery
from pipeline_lib.corpus.listing import OPTIONAL, REQUIRED, discover_listed
from pipeline_lib.corpus.scored import ID_COLUMNS, read_scored
from pipeline_lib.corpus.tabular import REQUIRED as COLUMNS
from pipeline_lib.corpus.tabular import Table, parse_table
from pipeline_lib.projection.export import HEADER, run_tsv, tsv_rows
from tests.fuzz.strategies import CANARY, TEXTS
from tests.pipeline_lib.projection.rows import documents, projected, projections

CELLS = st.sampled_from(["a", "b.txt", "D", "0", "1", "5", "-3", "5.0", "", " 2", "9" * 400, '"', '"a', "\u0663", ".txt", "es"]) | TEXTS
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=5)
HEADERS = st.permutations([*COLUMNS, "text", "note"]) | st.lists(st.sampled_from([*COLUMNS, "strat_span", "text", "note", ""]), max_size=7)
PATHS = st.sampled_from(["es/a.txt", "es/b.txt", "es/../es/a.txt", "../x.txt", "/etc/hostname", "es", ".", "~", "a\\b", "x" * 300]) | CELLS
WHOLE_FILES = st.builds(lambda text: text.encode("utf-8"), TEXTS) | st.binary(max_size=40)
# Longer than the csv module takes for a cell.
ENDLESS = "x" * 140_000


def sheet(rows: list[list[str]], quoting: int = csv.QUOTE_MINIMAL) -> str:
    """A TSV as the csv module writes it; lines end in CRLF so that a CR in a cell is quoted."""
    written = io.StringIO(newline="")
    csv.writer(written, delimiter="\t", lineterminator="\r\n", quoting=quoting).writerows(rows)
    return written.getvalue()


def mentions(table: Table) -> int:
    return sum(len(standoff.mentions) for standoff in table.documents.values())


def listing(root: Path, data: bytes) -> tuple[Discovery | None, str]:
    """What a list of files with these bytes finds, or the message of the one error that a bad list may cause."""
    (root / "files.tsv").write_bytes(data)
    try:
        return discover_listed(root, "files.tsv"), ""
    except CorpusError as error:
        return None, str(error)


def scored(path: Path, data: bytes) -> tuple[frozenset[str], str]:
    path.write_bytes(data)
    try:
        return read_scored(path), ""
    except CorpusError as error:
        return frozenset(), str(error)


@given(TEXTS | ROWS.map(lambda rows: "\n".join("\t".join(row) for row in rows)), st.booleans())
@example(data=f"a\tD\t0\t5\t{ENDLESS}\n", headed=True)
def test_any_table_is_mentions_and_problems(data: str, headed: bool) -> None:
    table = parse_table("\t".join([*COLUMNS, "text"]) + "\n" + data if headed else data)
    lines = [mention.line for standoff in table.documents.values() for mention in standoff.mentions]
    lines += [problem.line for problem in table.problems]
    assert len(set(lines)) == len(lines)
    assert CANARY not in repr(table.problems)


@given(HEADERS, ROWS)
def test_every_row_of_a_quoted_table_is_a_mention_or_a_problem(header: list[str], rows: list[list[str]]) -> None:
    table = parse_table(sheet([header, *rows]))
    complete = {*COLUMNS} <= {"start_span" if name == "strat_span" else name for name in header}
    # A line of spaces is a blank one.
    filled = [row for row in rows if any(row) and "\t".join(row).strip(" ")]
    assert mentions(table) + len(table.problems) == (len(filled) if complete else 1)


LOOSE = st.sampled_from(["a", '"a', 'a"', '"', '""', '"a"', '"a" b', 'a "b', "*", ""])
OFFSET_CELLS = st.sampled_from(["0", "5", '"0', '5"', '"5"', "-3", "5.0"])


@given(st.permutations([*COLUMNS, "text"]), st.lists(st.tuples(LOOSE, LOOSE, OFFSET_CELLS, OFFSET_CELLS, LOOSE), min_size=1, max_size=6))
def test_every_row_of_a_table_written_without_quoting_is_a_mention_or_a_problem(
    header: list[str], rows: list[tuple[str, str, str, str, str]]
) -> None:
    """Whatever quotes happen to pair."""
    given = [dict(zip((*COLUMNS, "text"), row, strict=True)) for row in rows]
    table = parse_table("\n".join("\t".join(line) for line in [header, *([row[name] for name in header] for row in given)]))
    assert mentions(table) + len(table.problems) == len(rows)


@pytest.mark.weight(2)
@given(st.lists(TEXTS.filter(bool), max_size=5))
def test_a_submission_says_what_was_projected_whatever_its_words(surfaces: list[str]) -> None:
    texts = {f"d{at}": surface for at, surface in enumerate(surfaces)}
    rows = projections(*(projected(name, "T1", "D", [(0, len(text))], text) for name, text in texts.items()))
    written = run_tsv(tsv_rows(documents(texts), rows, {name: name for name in texts}))
    expected = [[name, "D", "0", str(len(text)), text] for name, text in texts.items()]
    assert list(csv.reader(io.StringIO(written, newline=""), delimiter="\t", strict=True)) == [list(HEADER), *expected]
    assert mentions(parse_table(written)) == len(surfaces)


@pytest.mark.weight(3)
@given(
    st.just([*REQUIRED, *OPTIONAL]) | st.lists(st.sampled_from([*REQUIRED, *OPTIONAL, "note"]), max_size=7),
    st.lists(st.tuples(CELLS, st.just("es") | CELLS, PATHS, st.just("") | PATHS, CELLS, CELLS, CELLS).map(list), max_size=4),
)
def test_every_row_of_a_list_of_files_is_a_text_or_a_reject(listed: Path, header: list[str], rows: list[list[str]]) -> None:
    found, message = listing(listed, sheet([header, *rows]).encode("utf-8"))
    if found is None:
        assert not {*REQUIRED} <= {*header} and "missing columns" in message
    else:
        assert len(found.files) + len(found.problems) == len(rows)
        assert all(file.path.resolve().is_relative_to(listed.resolve()) and file.path.is_file() for file in found.files)


@pytest.mark.weight(3)
@given(WHOLE_FILES | ROWS.map(lambda rows: "\n".join("\t".join(row) for row in [REQUIRED, *rows]).encode("utf-8")))
@example(data=f"document\tlang\tfile\na\tes\t{ENDLESS}".encode())
def test_any_bytes_as_a_list_of_files_are_read_or_refused(listed: Path, data: bytes) -> None:
    found, message = listing(listed, data)
    assert (found is None) == (message != "")
    assert CANARY not in message


@pytest.mark.weight(3)
@given(WHOLE_FILES | st.builds(lambda name, rows: "\n".join([name, *rows]).encode("utf-8"), st.sampled_from(ID_COLUMNS), st.lists(TEXTS)))
def test_any_list_of_scored_documents_is_read_or_refused(listed: Path, data: bytes) -> None:
    ids, message = scored(listed / "scored.tsv", data)
    assert (ids == frozenset()) == (message != "")
    assert CANARY not in message


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with two texts."""
    root = tmp_path_factory.mktemp("listed")
    (root / "es").mkdir()
    for name in ("a.txt", "b.txt"):
        (root / "es" / name).write_text("fever", encoding="utf-8")
    return root
