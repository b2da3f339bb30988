"""Names that may become paths, and what a discovery keeps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.files import Discovery, TextFile, is_label, is_safe, printable


@given(st.text(alphabet=st.characters()))
def test_a_safe_name_is_one_printable_path_component_at_most_spaces_aside(name: str) -> None:
    if is_safe(name):
        assert Path(name).name == name and "\\" not in name
        assert len(name.encode()) <= 200 and len(name.splitlines()) == 1
    assert printable(name).isprintable()


@pytest.mark.parametrize("name", ["case-01", "caso clínico 7", "případ", "症例", "sample-010.intme.progr", "e\u0301tude", "a" * 200])
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "-rf", "a..b", "a/b", "a\\b", "c:a", "a\nb", "a\tb", "a\x7f", "a\u2028b", "caf\udce9", "a" * 201, "é" * 101],
)
def test_names_that_break_a_path_or_a_table_are_unsafe(name: str) -> None:
    assert not is_safe(name)


def test_of_two_texts_of_one_document_and_language_one_stays_and_the_other_is_told(tmp_path: Path) -> None:
    texts = [TextFile(tmp_path, "d", "en", file) for file in ("b/d.txt", "a/d.txt")]
    found = Discovery([*texts, TextFile(tmp_path, "d", "es", "es/d.txt")]).ordered()
    assert [file.file for file in found.files] == ["a/d.txt", "es/d.txt"]
    assert [(problem.file, problem.document, problem.code) for problem in found.problems] == [("b/d.txt", "d", "same_document")]


@pytest.mark.parametrize("name", ["DISEASE", "C0018808", "Disease_Disorder", "Género", "症状", "A-1/b"])
def test_a_label_is_a_word(name: str) -> None:
    assert is_label(name)


@pytest.mark.parametrize("name", ["", "*", "MY LABEL", "A\nB", "A\tB", "A\u00a0B", "A\x00", "A\u200b", "A\ud800"])
def test_what_would_break_a_line_or_stands_for_all_labels_is_none(name: str) -> None:
    assert not is_label(name)
