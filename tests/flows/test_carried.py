"""A run over a document with every kind of standoff line: into a translation, and into its own text."""

from pathlib import Path

import polars as pl
import pytest

from pipeline_lib.corpus import brat
from pipeline_lib.corpus.companions import Companion, parse_companion
from tests.flows.tiny import quick, run, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")

DOCUMENT = "case-01"
# T90 is a space, which no translation can hold; T91 is discontinuous.
LOST, SPLIT = "T90", "T91"
LINES = [
    "#1\tAnnotatorNotes R1\ta relation that goes",
    "A7\tCertainty T1 high",
    '#2\tAnnotatorNotes T1\t"T2",\twith a tab',
    "R1\tWith Arg1:T1 Arg2:T2\t",
    f"R2\tWith Arg1:T1 Arg2:{LOST}",
    "#3\tAnnotatorNotes R2\ta relation that stays",
    f"E1\tTreat:T2 Theme:T1 Place:{SPLIT}",
    "M1\tNegated E1",
    "N1\tReference T2 UMLS:C0000001\tT2",
    f"*\tEquiv T1 T2 {SPLIT}",
    "A8\tOld T99",
    "R3\tbroken",
    "a line of no kind",
]


def read(folder: Path) -> tuple[brat.Standoff, list[Companion]]:
    """The annotations of ``DOCUMENT`` in ``folder``, and the lines among them that go with mentions."""
    text = (folder / f"{DOCUMENT}.txt").read_bytes().decode()
    standoff = brat.check_against(brat.parse((folder / f"{DOCUMENT}.ann").read_bytes().decode()), text)
    found = [parse_companion(line) for line in standoff.others if line.kind not in "T?"]
    return standoff, [companion for companion in found if companion is not None]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    root = tmp_path_factory.mktemp("carried")
    folder = small_corpus(root / "corpus", count=4)
    text = (folder / "es" / f"{DOCUMENT}.txt").read_bytes().decode()
    space, words = text.index(" "), [0, text.index(" ")]
    last = text.rindex(" ", 0, 60) + 1
    mentions = [
        f"{LOST}\tDISEASE {space} {space + 1}\t ",
        f"{SPLIT}\tSYMPTOM {words[0]} {words[1]};{last} {last + 3}\t{text[: words[1]]} {text[last : last + 3]}",
    ]
    with (folder / "es" / f"{DOCUMENT}.ann").open("a", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in [*mentions, *LINES])
    run(folder, root, targets=("en", "es"), config=quick("fit.dimensions=16"))
    return root / "out"


def carried(out: Path, lang: str) -> pl.DataFrame:
    return pl.read_parquet(out / "carried_lines.parquet").filter(pl.col("target_lang") == lang)


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_line_is_carried_or_says_why_not(out: Path, lang: str) -> None:
    rows = carried(out, lang)
    assert rows.height == len(LINES) - 1
    reasons = dict(rows.drop_nulls("reason").select("source_id", "reason").iter_rows())
    assert reasons == {"R2": "mention_not_projected", "#3": "line_not_carried", "A8": "dangling_reference", None: "malformed_line"}
    assert set(rows["document"]) == {DOCUMENT}


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_targets_file_reads_back_whole_and_every_reference_is_in_it(out: Path, lang: str) -> None:
    standoff, companions = read(out / lang)
    assert standoff.problems == ()
    assert [mention.id for mention in standoff.mentions] == [f"T{number + 1}" for number in range(len(standoff.mentions))]
    assert [other.raw for other in standoff.others] == carried(out, lang)["raw"].drop_nulls().to_list()
    known = {mention.id for mention in standoff.mentions} | {companion.id for companion in companions}
    assert len(companions) == 8 and {ref for companion in companions for ref in companion.refs} <= known


@pytest.mark.parametrize("lang", ["en", "es"])
def test_what_was_about_a_mention_is_about_its_projection(out: Path, lang: str) -> None:
    rows = pl.read_parquet(out / "projections.parquet").filter((pl.col("target_lang") == lang) & (pl.col("document") == DOCUMENT))
    ids: dict[str, str | None] = dict(rows.select("mention", "target_mention").iter_rows())
    first, second, split = ids["T1"], ids["T2"], ids[SPLIT]
    assert ids[LOST] is None and split is not None
    assert carried(out, lang)["raw"].drop_nulls().to_list() == [
        "#1\tAnnotatorNotes R1\ta relation that goes",
        f"A1\tCertainty {first} high",
        f'#2\tAnnotatorNotes {first}\t"T2",\twith a tab',
        f"R1\tWith Arg1:{first} Arg2:{second}\t",
        f"E1\tTreat:{second} Theme:{first} Place:{split}",
        "M1\tNegated E1",
        f"N1\tReference {second} UMLS:C0000001\tT2",
        f"*\tEquiv {first} {second} {split}",
    ]


def test_a_text_that_is_its_own_translation_gets_the_same_annotations(out: Path) -> None:
    source, _ = read(out.parent / "corpus" / "es")
    target, _ = read(out / "es")
    kept = [mention for mention in source.mentions if mention.id != LOST]
    assert any(len(mention.starts) > 1 for mention in kept)
    assert [(m.label, m.starts, m.ends, m.surface) for m in target.mentions] == [(m.label, m.starts, m.ends, m.surface) for m in kept]


def test_an_event_whose_trigger_was_renamed_is_renamed_with_it(tmp_path: Path) -> None:
    folder = small_corpus(tmp_path / "corpus", count=2)
    path = folder / "es" / f"{DOCUMENT}.ann"
    first, second = (line.split("\t") for line in path.read_text("utf-8").splitlines()[:2])
    label = first[1].split()[0]
    path.write_text(path.read_text("utf-8") + f"E1\t{label}:{first[0]} Theme:{second[0]}\n", encoding="utf-8")
    run(folder, tmp_path, targets=("es",), config=quick("fit.dimensions=16", f"corpus.aliases.{label}=RENAMED"))
    assert carried(tmp_path / "out", "es")["raw"].to_list() == ["E1\tRENAMED:T1 Theme:T2"]
