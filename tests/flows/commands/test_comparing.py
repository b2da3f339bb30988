"""``spanferry compare``, as its users meet it."""

import json
from pathlib import Path

import pytest

from tests.flows.commands.terminal import call

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
GOLD = HEADER + "d1\tDISEASE\t10\t18\tsecreto\nd2\tDISEASE\t5\t13\tsecreto\nd2\tSYMPTOM\t0\t4\tsecreto\n"
A = GOLD
B = HEADER + "d1\tDISEASE\t10\t18\tx\nd2\tDISEASE\t5\t12\tx\nd2\tDISEASE\t100\t110\tx\nd2\tSYMPTOM\t0\t4\tx\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, content in (("a.tsv", A), ("b.tsv", B), ("gold.tsv", GOLD)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return [str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv"), "--gold", str(tmp_path / "gold.tsv")]


def test_compare_shows_both_systems_and_where_they_differ(files: list[str]) -> None:
    code, said = call("compare", *files)
    assert code == 0
    lines = [line.split() for line in said.splitlines()]
    assert ["DISEASE", "strict", "1.0000", "0.4000", "+0.6000"] in [line[:5] for line in lines]
    assert ["SYMPTOM", "char", "1.0000", "1.0000", "+0.0000", "+0.0000", "to", "+0.0000", "1.0000"] in lines
    assert ["DISEASE", "1", "0", "0", "2"] in lines
    assert ["all", "1", "0", "0", "2"] in lines


def test_the_differences_are_ids_and_offsets_without_text(files: list[str], tmp_path: Path) -> None:
    code, said = call("compare", *files, "--differences", str(tmp_path / "out" / "diff.tsv"))
    assert code == 0
    assert (tmp_path / "out" / "diff.tsv").read_text("utf-8") == (
        "filename\tlabel\tstart_span\tend_span\tin_gold\tsystem\n"
        "d2\tDISEASE\t5\t12\tfalse\tB\nd2\tDISEASE\t5\t13\ttrue\tA\nd2\tDISEASE\t100\t110\tfalse\tB\n"
    )
    assert "secreto" not in said


def test_compare_of_one_label_in_listed_documents(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "scored.txt").write_text("d2\nd9\n", encoding="utf-8")
    arguments = [*files, "--label", "DISEASE", "--scored", str(tmp_path / "scored.txt")]
    code, said = call("compare", *arguments, "--json")
    assert code == 0
    figures = json.loads(said)
    assert [(row["label"], row["metric"], row["f1_a"], row["f1_b"], row["documents"]) for row in figures["scores"]] == [
        ("DISEASE", "strict", 1.0, 0.0, 1),
        ("DISEASE", "char", 1.0, 0.6222, 1),
        ("*", "strict", 1.0, 0.0, 1),
        ("*", "char", 1.0, 0.6222, 1),
    ]
    assert figures["differing"] == [{"label": "DISEASE", "only_A_right": 1, "only_A_wrong": 0, "only_B_right": 0, "only_B_wrong": 2}]
    assert figures["absent_documents"] == 1
    assert "listed documents without a mention in any file: 1" in call("compare", *arguments)[1]


def test_the_same_comparison_prints_the_same_bytes(files: list[str]) -> None:
    assert call("compare", *files, "--json") == call("compare", *files, "--json")
    assert call("compare", *files, "--json") != call("compare", *files, "--json", "--replicates", "7")


def test_a_missing_file_is_refused(files: list[str]) -> None:
    code, said = call("compare", files[0], "none.tsv", *files[2:])
    assert code == 6
    assert "none.tsv: unreadable" in said


def test_labels_of_the_gold_are_renamed_and_what_a_run_rejects_is_left_out(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    for name, content in (("d1.txt", "x" * 9 + " disease"), ("d1.ann", "T1\tENFERMEDAD 10 17\tdisease\nT2\tENFERMEDAD 90 99\tdisease\n")):
        (tmp_path / "gold" / name).write_text(content, encoding="utf-8")
    (tmp_path / "a.tsv").write_text(HEADER + "d1\tDISEASE\t10\t17\tdisease\n", encoding="utf-8")
    arguments = [*files[:3], str(tmp_path / "gold"), "--set", "corpus.aliases.ENFERMEDAD=DISEASE"]
    figures = json.loads(call("compare", *arguments, "--json")[1])
    assert figures["gold_left_out"] == 1
    assert [row["f1_a"] for row in figures["scores"] if row["label"] == "DISEASE"] == [1.0, 1.0]
    assert "annotations of the gold that a run rejects, left out: 1" in call("compare", *arguments)[1]
