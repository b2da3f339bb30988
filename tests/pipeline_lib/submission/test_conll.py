from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline_lib.submission.conll import CODES, Mention, conll, grid_of, tag
from pipeline_lib.submission.export import export_run
from tests.pipeline_lib.submission.runs import Doc, write_run

TEXT = "Severe chest pain, no fever. He sleeps."


def mention(name: str, *fragments: tuple[int, int], label: str = "X") -> Mention:
    return Mention(name, label, fragments)


def tagged(text: str, *mentions: Mention) -> tuple[str, list[tuple[str, str]]]:
    """The tags, and (mention, code) of what is not exact."""
    found = tag(grid_of(text), list(mentions))
    return " ".join(found.tags), [(mention.id, code) for mention, code in found.not_exact]


def test_a_file_is_a_header_and_a_line_a_token_with_a_blank_line_between_segments() -> None:
    grid = grid_of("Dry cough. No fever")
    assert conll("case-1", grid, tag(grid, [mention("T1", (0, 9), label="SYMPTOM")]).tags) == (
        "# document = case-1\nDry\t0\t3\tB-SYMPTOM\ncough\t4\t9\tI-SYMPTOM\n.\t9\t10\tO\n\nNo\t11\t13\tO\nfever\t14\t19\tO\n\n"
    )


def test_a_segment_does_not_end_within_a_mention() -> None:
    grid = grid_of("dry\ncough\nnow")
    assert "dry\t0\t3\tB-X\ncough\t4\t9\tI-X\n\nnow" in conll("a", grid, tag(grid, [mention("T1", (0, 9))]).tags)


@pytest.mark.parametrize(
    ("mentions", "tags", "codes"),
    [
        ([mention("T1", (7, 17))], "O B-X I-X O O O O O O O", []),
        ([mention("T1", (0, 6)), mention("T2", (7, 12))], "B-X B-X O O O O O O O O", []),
        ([mention("T1", (7, 12)), mention("T2", (0, 17))], "B-X I-X I-X O O O O O O O", [("T1", "overlaps_another")]),
        ([mention("T1", (0, 12)), mention("T2", (7, 17))], "B-X I-X O O O O O O O O", [("T2", "overlaps_another")]),
        ([mention("T1", (0, 6)), mention("T2", (0, 6))], "B-X O O O O O O O O O", [("T2", "overlaps_another")]),
        ([mention("T1", (8, 15))], "O B-X I-X O O O O O O O", [("T1", "cuts_token")]),
        ([mention("T1", (6, 12))], "O B-X O O O O O O O O", [("T1", "cuts_token")]),
        ([mention("T1", (0, 6), (13, 17))], "B-X O B-X O O O O O O O", [("T1", "discontinuous")]),
        ([mention("T1", (0, 6), (13, 16))], "B-X O B-X O O O O O O O", [("T1", "cuts_token"), ("T1", "discontinuous")]),
        ([mention("T1", (0, 2), (3, 6))], "B-X O O O O O O O O O", [("T1", "cuts_token"), ("T1", "discontinuous")]),
        ([mention("T1", (0, 8), (9, 12))], "B-X I-X O O O O O O O O", [("T1", "cuts_token"), ("T1", "discontinuous")]),
        ([mention("T1", (6, 7))], "O O O O O O O O O O", [("T1", "no_token")]),
    ],
)
def test_what_bio_cannot_hold_exactly_is_told(mentions: list[Mention], tags: str, codes: list[tuple[str, str]]) -> None:
    assert tagged(TEXT, *mentions) == (tags, codes)
    assert {code for _, code in codes} <= set(CODES)


@given(st.text(alphabet='aé\u0301 \n\r\t.\x1c\x85\u2028\u00a0#"\U0001f600\u0600', max_size=20) | st.text(max_size=20))
@example("\u0600 x")
@example("a\x1cb\x85c\u2028d")
def test_every_line_has_four_cells_and_the_cells_are_slices_of_the_text(text: str) -> None:
    grid = grid_of(text)
    header, *lines = conll("d", grid, ["O"] * len(grid.starts)).splitlines()
    assert header == "# document = d"
    cells = [line.split("\t") for line in lines if line]
    assert all(text[int(start) : int(end)] == surface and tag == "O" for surface, start, end, tag in cells)
    assert "".join(surface for surface, *_ in cells) == "".join(text.split())


def test_the_export_writes_every_document_and_a_table_of_what_is_not_exact(tmp_path: Path) -> None:
    docs = [
        Doc("en", "b", TEXT, (("T1", "X", [(7, 17)]), ("T2", "Y", [(13, 17), (0, 2)]), ("T3", "Z", [(19, 20)]))),
        Doc("en", "a", TEXT),
        Doc("it", "b", TEXT, (("T1", "X", [(7, 12)]),)),
    ]
    facts = export_run(write_run(tmp_path / "run", docs), "conll", tmp_path / "out")
    out = tmp_path / "out"
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.conll")} == {"en/a.conll", "en/b.conll", "it/b.conll"}
    assert (out / "not_exact.csv").read_text("utf-8") == (
        "file,mention,label,start,end,code\nen/b.conll,T2,Y,0,17,overlaps_another\nen/b.conll,T3,Z,19,20,cuts_token\n"
    )
    assert facts["notes"] == {"overlaps_another": 1, "cuts_token": 1, "discontinuous": 0, "no_token": 0}
    assert [(count["lang"], count["documents"], count["mentions"]) for count in facts["counts"]] == [("en", 2, 2), ("it", 1, 1)]
    assert "B-X" not in (out / "en/a.conll").read_text("utf-8") and "pain\t13\t17\tI-X" in (out / "en/b.conll").read_text("utf-8")
