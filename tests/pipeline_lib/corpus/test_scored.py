"""Lists of scored documents."""

from pathlib import Path

import pytest

from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.scored import read_scored


def read(folder: Path, content: str) -> set[str]:
    path = folder / "scored.tsv"
    path.write_bytes(content.encode())
    return set(read_scored(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("d1\nd2\n", {"d1", "d2"}),
        ("d1.txt\nd1\nd.2.txt", {"d1", "d.2"}),
        ("\ufeffd1\r\n\r\n  \nd 2 \r\n", {"d1", "d 2"}),
        ("document\nd1\n", {"d1"}),
        ("label\tfilename\nX\td1.txt\nX\td2.txt\n", {"d1", "d2"}),
        ("id\tdoc\na\td1\n", {"d1"}),
        ("id\tscored\nd1\t1\nd2\t0\nd3\tTrue\nd4\tfalse\n", {"d1", "d3"}),
        ("scored\tdocument\ttitle\n1\td1\n0\td2\tno\n", {"d1"}),
    ],
)
def test_ids_are_read_from_lines_and_tables(tmp_path: Path, content: str, expected: set[str]) -> None:
    assert read(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "lists no document"),
        ("\n \n", "lists no document"),
        ("document\n", "lists no document"),
        ("document\tscored\nd1\t0\n", "lists no document"),
        ("name\tscored\nd1\t1\n", "has a header with one of document, filename, doc, id"),
        ("document\tscored\nd1\tyes\n", "line 2: scored is 1, 0, true or false"),
        ("document\tscored\nd1\t1\n\nd2\n", "line 4 ends early or has no document"),
        ("label\tdoc\nX\t\n", "line 2 ends early or has no doc"),
    ],
)
def test_a_list_that_breaks_a_rule_is_refused_by_name(tmp_path: Path, content: str, rule: str) -> None:
    with pytest.raises(CorpusError, match=rf"scored\.tsv: .*{rule}"):
        read(tmp_path, content)


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.txt: unreadable"):
        read_scored(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"d\xe9\n")
    with pytest.raises(CorpusError, match=r"latin\.txt: unreadable, not UTF-8 at byte 1"):
        read_scored(tmp_path / "latin.txt")
