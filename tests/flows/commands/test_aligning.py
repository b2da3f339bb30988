"""``spanferry evaluate-alignment``, as its users meet it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flows.commands.terminal import call
from tests.pipeline_lib.alignment.toy_sentences import sentence_pairs

QUICK = ("--set", "fit.dimensions=16", "--set", "fit.lexical.hmm_rounds=2")
TOYS = [(" ".join(source), " ".join(target)) for source, target in sentence_pairs(2, 60)]
GOLD = "".join(f"{source}\t{target}\t{len(source.split()) - 1}-{len(target.split()) - 1}\n" for source, target in TOYS[:20])


def written(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.fixture
def gold(tmp_path: Path) -> str:
    return written(tmp_path / "gold.tsv", GOLD)


@pytest.fixture
def text(tmp_path: Path) -> str:
    return written(tmp_path / "text.tsv", "".join(f"{source}\t{target}\n" for source, target in TOYS[20:]))


def figures(*arguments: str) -> dict[str, Any]:
    code, said = call("evaluate-alignment", *arguments, *QUICK, "--json")
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def test_its_own_links_score_1_as_gold(tmp_path: Path, gold: str) -> None:
    """In Pharaoh, beside the sentences: what --links writes is what the command reads."""
    links = tmp_path / "new" / "links.txt"
    figures(gold, "--links", str(links))
    sides = [written(tmp_path / name, "".join(pair[side] + "\n" for pair in TOYS[:20])) for side, name in enumerate("st")]
    (score,) = figures(str(links), "--source", sides[0], "--target", sides[1])["scores"]
    assert (score["f1"], score["aer"], score["sentences"]) == (1.0, 0.0, 20)
    assert score["sure"] > 60


def test_text_to_fit_on_is_counted_and_helps(gold: str, text: str, tmp_path: Path) -> None:
    """Of two words whose translations the gold alone never tells apart, the text says which is which."""
    pair = written(tmp_path / "pair.tsv", "\t".join([*TOYS[20], "0-0"]) + "\n")
    own, more = tmp_path / "own", tmp_path / "more"
    assert figures(pair, "--links", str(own))["fitted_on"] == 1
    assert figures(pair, "--fit", text, "--links", str(more))["fitted_on"] == 41
    assert own.read_text("utf-8") != more.read_text("utf-8")


def test_columns_of_the_text_are_named_in_the_golds_order(gold: str, tmp_path: Path) -> None:
    named = written(tmp_path / "named.tsv", "id\tyy\txx\n" + "".join(f"1\t{target}\t{source}\n" for source, target in TOYS[20:]))
    plain = written(tmp_path / "plain.tsv", "".join(f"{source}\t{target}\n" for source, target in TOYS[20:]))
    assert figures(gold, "--fit", named, "--langs", "xx-yy") == figures(gold, "--fit", plain)


def test_several_files_are_scored_one_by_one_and_together(gold: str, tmp_path: Path) -> None:
    pairs = [{"src_words": s.split(), "tgt_words": t.split(), "alignment": [[0, 0]]} for s, t in TOYS[20:25]]
    other = written(tmp_path / "gold.jsonl", "\n".join(map(json.dumps, pairs)))
    links = tmp_path / "links.txt"
    scores = figures(gold, other, "--links", str(links))["scores"]
    assert [(row["gold"], row["sentences"]) for row in scores] == [(gold, 20), (other, 5), ("all", 25)]
    assert scores[2]["predicted"] == scores[0]["predicted"] + scores[1]["predicted"]
    assert len(links.read_text("utf-8").splitlines()) == 25


def test_the_terminal_shows_four_decimals(gold: str) -> None:
    code, said = call("evaluate-alignment", gold, *QUICK)
    assert code == 0
    (score,) = figures(gold)["scores"]
    assert all(f"{score[name]:.4f}" in said for name in ("precision", "recall", "f1", "aer"))
    assert "fitted on 20 sentence pairs" in said


def test_a_setting_of_the_links_changes_them(gold: str) -> None:
    (loose,), (strict,) = (figures(gold, "--set", f"links.threshold={value}")["scores"] for value in (0.1, 0.9))
    assert loose["predicted"] > strict["predicted"]


def test_a_setting_that_no_link_depends_on_is_refused(gold: str) -> None:
    code, said = call("evaluate-alignment", gold, "--set", "decode.threshold=0.3")
    assert code == 2
    assert "unknown setting decode.threshold" in said


def test_a_bad_line_of_gold_is_named_and_not_shown(gold: str) -> None:
    written(Path(gold), GOLD + "un secreto\ta secret\t0-0 1-7\n")
    code, said = call("evaluate-alignment", gold)
    assert code == 6
    assert "gold.tsv: line 21: link 1-7 lies outside" in said.replace("\n", "")
    assert "secret" not in said


def test_links_alone_ask_for_their_sentences(tmp_path: Path) -> None:
    code, said = call("evaluate-alignment", written(tmp_path / "gold.txt", "0-0\n"))
    assert code == 6
    assert "--source and --target" in said


def test_text_without_columns_to_take_is_refused(gold: str, tmp_path: Path) -> None:
    code, said = call("evaluate-alignment", gold, "--fit", written(tmp_path / "text.tsv", "id\ten\tes\n1\ta\tb\n"))
    assert code == 6
    assert "text.tsv: has 3 columns" in said


@pytest.mark.parametrize("langs", ["en", "en-en", "-es"])
def test_langs_are_two_names(gold: str, langs: str) -> None:
    code, said = call("evaluate-alignment", gold, f"--langs={langs}")
    assert code == 2
    assert "such as en-es" in said


def test_a_missing_file_and_one_that_cannot_be_written_are_said_in_one_line(gold: str, tmp_path: Path) -> None:
    code, said = call("evaluate-alignment", str(tmp_path / "none.tsv"))
    assert (code, "none.tsv: unreadable" in said.replace("\n", "")) == (6, True)
    code, said = call("evaluate-alignment", gold, *QUICK, "--links", str(tmp_path))
    assert (code, "cannot be written" in said) == (5, True)
