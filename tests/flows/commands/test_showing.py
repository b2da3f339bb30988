"""``spanferry show``, as its users meet it."""

from pathlib import Path

from tests.flows.commands.terminal import call


def test_show_prints_both_texts(demo: tuple[Path, str]) -> None:
    out = demo[0]
    code, said = call("show", "case-01", "--target", "en", "--out", str(out / "results"))
    assert code == 0
    for lang in ("es", "en"):
        assert (out / "corpus" / lang / "case-01.txt").read_text("utf-8").split()[0] in said
