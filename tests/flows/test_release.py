"""A MultiClin release goes through a run as it is: trees of entity folders, a list of scored documents, the corpus's own codes."""

from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import polars as pl
import pytest

from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.evaluation.summary import Counts
from tests.flows.commands.terminal import call
from tests.flows.multiclin import BACKGROUND, ENTITIES, TEST, TRAIN, numbered, write_release
from tests.flows.tiny import quick, run

TARGETS = {"en", "it", "nl", "sv", "ro", "cz"}
COLUMNS = ["filename", "label", "start_span", "end_span", "text"]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> tuple[Counts, Path]:
    root = tmp_path_factory.mktemp("release")
    corpus = write_release(root / "MultiClinNER", gold=True)
    scored = [document for entity in ENTITIES for document in numbered(TEST, entity).values()]
    (corpus / "scored.txt").write_text("\n".join(scored) + "\n", encoding="utf-8")
    counts, _ = run(corpus, root, targets=("en", "it", "nl", "sv", "ro", "cs"), config=quick("corpus.scored=scored.txt"))
    return counts, root / "out"


@pytest.fixture(scope="module")
def submission(released: tuple[Counts, Path]) -> Path:
    """The ZIP that the release's run is handed in as."""
    folder = released[1].parent / "submission"
    code, said = call("export", "--run", str(released[1]), "--format", "multiclin", "--out", str(folder))
    assert code == 0, said
    return folder / "submission.zip"


def test_every_document_of_every_entity_s_folder_is_projected(released: tuple[Counts, Path]) -> None:
    counts, out = released
    rows = pl.read_parquet(out / "projections.parquet")
    numbers = {
        f"{split}-{entity}-{n:04d}" for entity in ENTITIES for split, last in (("train", 1), ("test", 3)) for n in range(1, last + 1)
    }
    assert set(rows["document"]) == numbers and counts.documents == len(numbers)
    assert set(rows["target_lang"]) == TARGETS
    assert all(label.lower() in document for document, label in rows.select("document", "label").iter_rows())


def test_the_same_number_of_two_entities_is_two_documents(released: tuple[Counts, Path]) -> None:
    out = released[1]
    texts = {entity: (out / "en" / f"test-{entity}-0001.txt").read_bytes() for entity in ENTITIES}
    assert len(set(texts.values())) == 3


def test_the_files_of_the_run_are_told_with_split_entity_and_name(released: tuple[Counts, Path]) -> None:
    files = pl.read_parquet(released[1] / "corpus_files.parquet")
    (row,) = files.filter((pl.col("document") == "test-symptom-0002") & (pl.col("lang") == "cz")).to_dicts()
    assert (row["split"], row["entity"]) == ("test", "symptom")
    assert row["name"] == Path(row["file"]).stem == "MultiClinNER-cz-test-symptom-0002"


def test_tsv_files_call_documents_as_the_release_does(released: tuple[Counts, Path]) -> None:
    names = {line.split("\t")[0] for line in (released[1] / "en" / "run.tsv").read_text("utf-8").splitlines()[1:]}
    assert "MultiClinNER-en-test-symptom-0002" in names and all(name.startswith("MultiClinNER-en-") for name in names)


def test_background_and_train_are_projected_but_do_not_count(released: tuple[Counts, Path]) -> None:
    files = pl.read_parquet(released[1] / "corpus_files.parquet").filter(pl.col("lang") == "en")
    assert files.height == len(ENTITIES) * len((*TRAIN, *TEST, *BACKGROUND))
    background = [document for entity in ENTITIES for document in numbered(BACKGROUND, entity).values()]
    assert not files.filter(pl.col("document").is_in(background) | (pl.col("split") == "train"))["scored"].any()
    assert files["scored"].sum() == len(ENTITIES) * len(TEST)


def test_the_scores_are_of_the_listed_documents(released: tuple[Counts, Path]) -> None:
    scores = pl.read_json(released[1] / "scores.json").filter(pl.col("metric") == "strict")
    assert set(scores["target_lang"]) == TARGETS
    pooled = scores.filter(pl.col("label") == "*")
    assert pooled["documents"].to_list() == [len(ENTITIES) * len(TEST)] * len(TARGETS)
    assert pooled["f1"].mean() > 0.5


def test_texts_without_gold_are_not_scored_though_they_are_listed(tmp_path: Path) -> None:
    corpus = write_release(tmp_path, ("es", "en"))
    (corpus / "scored.txt").write_text("\n".join(numbered(TEST, "disease").values()), encoding="utf-8")
    found = scan_corpus(corpus, "es", ["en"], CorpusConfig(scored="scored.txt"), ShardConfig())
    assert {row["lang"] for row in found.files.to_pylist() if row["scored"]} == {"es"}


def test_a_submission_of_the_release_is_valid_whoever_holds_the_texts(released: tuple[Counts, Path], submission: Path) -> None:
    out = released[1]
    for texts in (("--run", str(out)), ("--corpus", str(out.parent / "MultiClinNER"))):
        code, said = call("validate", str(submission), *texts)
        assert code == 0 and "not checked" not in said, said
        assert f"valid: {len(TARGETS) * len(ENTITIES)} tables" in said


def test_the_official_reader_finds_the_projected_mentions_of_the_test_folders(released: tuple[Counts, Path], submission: Path) -> None:
    """Background included, train left out, every value as it was projected."""
    out = released[1]
    expected = set()
    names = pl.read_parquet(out / "corpus_files.parquet").filter(pl.col("split") == "test").select("lang", "document", "name", "entity")
    rows = pl.read_parquet(out / "projections.parquet").filter(pl.col("reason").is_null())
    for row in rows.join(names, left_on=["target_lang", "document"], right_on=["lang", "document"]).to_dicts():
        text = (out / row["target_lang"] / f"{row['document']}.txt").read_bytes().decode("utf-8")
        start, end = min(row["starts"]), max(row["ends"])
        expected.add((f"{row['target_lang'].upper()}/{row['entity']}/run.tsv", row["name"], row["label"], start, end, text[start:end]))
    found = []
    with ZipFile(submission) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".tsv")):
            frame = pd.read_csv(archive.open(name), sep="\t")
            assert list(frame.columns) == COLUMNS
            found += [(name, *row) for row in frame.itertuples(index=False, name=None)]
    assert len(found) == len(expected) > 200 and set(found) == expected
    assert {file for _, file, *_ in found} <= set(names["name"])
