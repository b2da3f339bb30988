"""Gold word links in their three forms, and what is said of lines that break a rule."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.word_links import LinkedPair, is_pharaoh, parse_links, pharaoh, read_lines, read_linked_pairs
from tests.pipeline_lib.evaluation.linked import link_sets, linked_pairs

CATS = LinkedPair(("dos", "gatos", "duermen"), ("two", "cats", "sleep"), frozenset({(0, 0), (1, 1)}), frozenset({(2, 2)}))
RAIN = LinkedPair(("llueve",), ("it", "rains"), frozenset({(0, 1)}))
TSV = "dos gatos duermen\ttwo cats sleep\t0-0 1-1 2?2\nllueve\tit rains\t0-1\n"
JSON = "\n".join(
    json.dumps(row)
    for row in (
        {"src_words": CATS.source, "tgt_words": CATS.target, "alignment": [[1, 1], [0, 0]], "possible": [[2, 2]], "id": 1},
        {"src_words": RAIN.source, "tgt_words": RAIN.target, "alignment": [[0, 1]]},
    )
)
# Lines that break a rule, and what is said of them.
BROKEN = {
    "a token that is no link": ("gato\tsecret\t0-0 secret", "link 2 is not written as i-j"),
    "links counted with a sign": ("gato\tsecret\t-1-0", "link 1 is not written as i-j"),
    "two fields": ("gato\tsecret", "has 2 fields"),
    "four fields": ("gato\tsecret\t0-0\t0-0", "has 4 fields"),
    "a link outside": ("gato\tsecret\t0-1", "link 0-1 lies outside the sentences of 1 source and 1 target tokens"),
    "a side without token": (" \tsecret\t", "the source sentence has no token"),
}
BROKEN_JSON = {
    "no JSON": ('{"src_words": secret', "is no JSON, at column 15"),
    "a missing field": ('{"src_words": ["secret"], "tgt_words": ["a"]}', "alignment: Field required"),
    "a link of three": ('{"src_words": ["secret"], "tgt_words": ["a"], "alignment": [[0, 0, 0]]}', "alignment: Tuple"),
    "a negative index": ('{"src_words": ["secret"], "tgt_words": ["a"], "alignment": [[0, -1]]}', "alignment: Input should be greater"),
    "no object": ('["secret"]', "Input should be"),
    "an empty token": ('{"src_words": ["secret", " "], "tgt_words": ["a"], "alignment": []}', "a source token is empty"),
    "nested without end": ("[" * 100_000, "is nested too deeply"),
}


def written(folder: Path, content: str, name: str = "gold.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


@given(pair=linked_pairs())
def test_swapping_the_sides_twice_gives_the_pair_back(pair: LinkedPair) -> None:
    assert pair.swapped().swapped() == pair


@given(pair=linked_pairs())
def test_every_sure_link_is_possible(pair: LinkedPair) -> None:
    assert pair.sure <= pair.possible


@given(links=link_sets(12, 12))
def test_links_survive_pharaoh(links: frozenset[tuple[int, int]]) -> None:
    assert parse_links(pharaoh(links)) == (links, links)
    assert is_pharaoh(pharaoh(links))


@given(pairs=st.lists(linked_pairs(), min_size=1, max_size=4))
def test_pairs_survive_all_three_forms(tmp_path_factory: pytest.TempPathFactory, pairs: list[LinkedPair]) -> None:
    folder = tmp_path_factory.mktemp("forms")
    links = [" ".join([pharaoh(p.sure), *(f"{i}p{j}" for i, j in p.possible - p.sure)]) for p in pairs]
    source, target = (
        written(folder, "".join(" ".join(side) + "\n" for side in sides), name)
        for name, sides in (("s", [p.source for p in pairs]), ("t", [p.target for p in pairs]))
    )
    rows = [{"src_words": p.source, "tgt_words": p.target, "alignment": [*p.sure], "possible": [*p.possible]} for p in pairs]
    assert read_linked_pairs(written(folder, "\n".join(map(json.dumps, rows)), "j")) == pairs
    table = "".join(f"{' '.join(p.source)}\t{' '.join(p.target)}\t{line}\n" for p, line in zip(pairs, links, strict=True))
    assert read_linked_pairs(written(folder, table, "tsv")) == pairs
    if any(line.strip() for line in links):
        assert read_linked_pairs(written(folder, "".join(line + "\n" for line in links), "l"), source, target) == pairs


@pytest.mark.parametrize("content", [TSV, JSON, "\ufeff" + TSV.replace("\n", "\r\n"), "\n" + JSON + "\n\n"])
def test_the_form_is_told_from_the_file(tmp_path: Path, content: str) -> None:
    assert read_linked_pairs(written(tmp_path, content)) == [CATS, RAIN]


def test_a_pair_without_links_is_a_pair(tmp_path: Path) -> None:
    source, target = written(tmp_path, "no\nsi\n", "s"), written(tmp_path, "no\nyes\n", "t")
    pairs = read_linked_pairs(written(tmp_path, "\n0-0\n"), source, target)
    assert [pair.sure for pair in pairs] == [frozenset(), {(0, 0)}]


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, case: str) -> None:
    line, rule = BROKEN[case]
    path = written(tmp_path, f"{TSV}\n{line}\n")
    with pytest.raises(ScoreInputError, match=f"{path}: line 4: .*{rule}") as found:
        read_linked_pairs(path)
    assert "secret" not in str(found.value)


@pytest.mark.parametrize("case", BROKEN_JSON)
def test_a_broken_line_of_json_is_named_by_file_and_number(tmp_path: Path, case: str) -> None:
    line, rule = BROKEN_JSON[case]
    path = written(tmp_path, f"{JSON}\n{line}\n")
    with pytest.raises(ScoreInputError, match=f"{path}: line 3: .*{rule}") as found:
        read_linked_pairs(path)
    assert "secret" not in str(found.value)
    assert found.value.__context__ is None


def test_links_alone_need_their_sentences(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match="--source and --target"):
        read_linked_pairs(written(tmp_path, "0-0\n"))


def test_sentences_of_another_number_are_refused(tmp_path: Path) -> None:
    source, target = written(tmp_path, "no\nsi\n", "s"), written(tmp_path, "no\n", "t")
    with pytest.raises(ScoreInputError, match=r"s: has 2 lines, .*has 1"):
        read_linked_pairs(written(tmp_path, "0-0\n"), source, target)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_file_without_pairs_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ScoreInputError, match="holds no sentence pair"):
        read_linked_pairs(written(tmp_path, content))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScoreInputError, match="none: unreadable"):
        read_lines(tmp_path / "none")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(ScoreInputError, match="latin: unreadable, not UTF-8 at byte 3"):
        read_lines(tmp_path / "latin")
