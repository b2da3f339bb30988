"""Sentence pairs for fitting, and how their words are cut."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.parallel_text import read_parallel, words

CUT = {
    "dell'acqua 2,5.": ["dell'", "acqua", "2,5", "."],
    "the sea's well-known edge": ["the", "sea's", "well-known", "edge"],
    "«Ni o», dijo…": ["«", "Ni", "o", "»", ",", "dijo", "…"],
    "qu\u2019est-ce": ["qu\u2019", "est-ce"],
    "cafe\u0301 na\u0131\u0308ve": ["cafe\u0301", "na\u0131\u0308ve"],
    "don't": ["don't"],
    "- 'a' -": ["-", "'", "a", "'", "-"],
}
NAMED = 'source\tid\tes\ten\nbook\t1\t"Llueve.\tIt rains.\nbook\t2\t\tNothing.\nbook\t3\tDos gatos\tTwo cats\n'
PAIRS = [(("It", "rains", "."), ('"', "Llueve", ".")), (("Two", "cats"), ("Dos", "gatos"))]


def written(folder: Path, content: str) -> Path:
    path = folder / "text.tsv"
    path.write_bytes(content.encode())
    return path


@pytest.mark.parametrize("text", CUT)
def test_words_are_cut_as_gold_cuts_them(text: str) -> None:
    assert [*words(text)] == CUT[text]


@given(text=st.text())
def test_words_hold_all_of_a_text_but_its_white_space(text: str) -> None:
    assert "".join("".join(words(text)).split()) == "".join(text.split())


def test_columns_are_found_by_name_in_either_order(tmp_path: Path) -> None:
    path = written(tmp_path, NAMED)
    assert read_parallel(path, ("en", "es")) == PAIRS
    assert read_parallel(path, ("es", "en")) == [(target, source) for source, target in PAIRS]


@pytest.mark.parametrize("langs", [None, ("en", "es")])
def test_two_columns_need_no_names(tmp_path: Path, langs: tuple[str, str] | None) -> None:
    path = written(tmp_path, '\ufeffIt rains.\t"Llueve.\r\nTwo cats\tDos gatos\r\n')
    assert read_parallel(path, langs) == PAIRS


@pytest.mark.parametrize(
    ("content", "langs", "rule"),
    [
        (NAMED, None, "has 4 columns; .*--langs"),
        (NAMED, ("en", "it"), "has 4 columns; .*en and it"),
        ("llueve\tit rains\nsecreto\n", None, "line 2: has 1 columns, the first line has 2"),
        ("", None, "has 0 columns"),
        ("secreto\t\n", None, "holds no sentence pair"),
    ],
)
def test_what_is_no_parallel_text_is_refused_without_its_text(
    tmp_path: Path, content: str, langs: tuple[str, str] | None, rule: str
) -> None:
    with pytest.raises(ScoreInputError, match=f"text.tsv: {rule}") as found:
        read_parallel(written(tmp_path, content), langs)
    assert "secreto" not in str(found.value)
