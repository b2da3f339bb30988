"""The paper profile from end to end, on tiny encoders: three teachers with tokenizers of their own, one student, declared gold."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from flows.config import RunConfig, load_config
from flows.pipeline import run_pipeline
from flows.publish import publish
from flows.watch import LISTENER, Progress
from pipeline_lib.alignment.band import Band
from pipeline_lib.corpus.samples import documents
from pipeline_lib.encoding.model_files import EncoderError, ModelSource
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision.mcai import mapped
from tests.encoders import save_encoder
from tests.flows.tiny import built, contents, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")

TARGETS = ["en", "it"]
DECLARED = documents()[:3]


def paper(folder: Path, *settings: str) -> RunConfig:
    """Three teachers of three families; the student starts from the first."""
    roles = {"sentence": "unigram", "phrase": "bpe", "token": "wordpiece"}
    named = [f"teachers.{role}.model={folder / family}" for role, family in roles.items()]
    quick = [
        "teachers.token.hidden_state=2",
        "tune.learning_rate=2e-3",
        "tune.least_steps=30",
        "tune.crops_a_step=4",
        "tune.start.overlap=32",
    ]
    return load_config("paper", [*named, *quick, "score.replicates=20", "mcai.scales=[3.0]", "tune.crop=96", "rerank.trees=5", *settings])


def run(root: Path, config: RunConfig, out: str = "out", gold_train: Path | None = None, model: str | None = None) -> list[Progress]:
    events: list[Progress] = []
    token = LISTENER.set(events.append)
    try:
        run_pipeline(
            config, str(root / "corpus"), "es", TARGETS, str(root / "store"), str(root / out), model, gold_train and str(gold_train)
        )
    finally:
        LISTENER.reset(token)
    return events


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("encoders")
    for family in ("unigram", "bpe", "wordpiece"):
        save_encoder(folder / family, family, layers=2, width=64, knows=True)  # type: ignore[arg-type]
    return paper(folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, prefect_server: None, config: RunConfig) -> tuple[Path, list[Progress]]:
    """A folder with ``corpus``, ``store`` and ``out``, and every shard that was worked on."""
    root = tmp_path_factory.mktemp("paper")
    small_corpus(root / "corpus", ("es", *TARGETS), count=5)
    return root, run(root, config)


def record(root: Path, out: str = "out") -> dict[str, object]:
    found: dict[str, object] = json.loads((root / out / "run.json").read_text("utf-8"))
    return found


def test_every_text_is_encoded_once_by_each_teacher_and_by_the_student(finished: tuple[Path, list[Progress]]) -> None:
    """The source too, though it is compared with two languages."""
    root, events = finished
    assert built(events)["encode"] == 3 * 3 and built(events)["encode by the student"] == 3
    assert len([file for file in Store(str(root / "store")).files("unit_vectors") if file.key.endswith(".parquet")]) == 4 * 3


def test_every_mention_is_projected_or_rejected_and_scored(finished: tuple[Path, list[Progress]]) -> None:
    root, _ = finished
    projections = pl.read_parquet(root / "out" / "projections.parquet")
    assert set(projections["target_lang"]) == set(TARGETS) and set(projections["document"]) == set(documents()[:5])
    assert {row["target_lang"] for row in json.loads((root / "out" / "scores.json").read_text("utf-8"))} == set(TARGETS)


def test_the_student_s_loss_on_held_out_documents_falls_below_that_of_the_untrained_one(finished: tuple[Path, list[Progress]]) -> None:
    root, _ = finished
    (log,) = (root / "store" / "training_log").rglob("*.parquet")
    losses = pl.read_parquet(log)["held_out_loss"].to_list()
    assert min(losses) < 0.97 * losses[0], losses


def test_the_record_names_every_encoder_with_its_licence_and_one_student_serves_all_languages(
    finished: tuple[Path, list[Progress]], config: RunConfig
) -> None:
    root, _ = finished
    found = record(root)
    encoders = found["encoders"]
    assert set(encoders) == {"sentence", "phrase", "token", "start", "tokenizer"}  # type: ignore[call-overload]
    assert encoders["phrase"]["model"] == config.teachers.phrase.model  # type: ignore[index]
    assert {origin["licence"] for origin in encoders.values()} == {"apache-2.0"}  # type: ignore[attr-defined]
    assert len({model["student"]["fingerprint"] for model in found["models"].values()}) == 1  # type: ignore[attr-defined]


def test_units_are_the_pieces_of_the_sentence_teacher(finished: tuple[Path, list[Progress]]) -> None:
    root, _ = finished
    (units,), (texts,) = ((root / "store" / name / "es").rglob("*.parquet") for name in ("units", "documents"))
    row, text = pl.read_parquet(units).row(0, named=True), pl.read_parquet(texts)["text"][0]
    surfaces = [text[start:end] for start, end in zip(row["starts"], row["ends"], strict=True)]
    assert "".join(surfaces) == "".join(text.split()) and len(surfaces) > 1.3 * len(text.split())


def test_a_second_run_builds_nothing_and_writes_the_same_bytes(finished: tuple[Path, list[Progress]], config: RunConfig) -> None:
    root, _ = finished
    assert set(built(run(root, config, "again")).values()) == {0}
    assert contents(root / "again") == contents(root / "out")


def test_with_a_model_no_teacher_is_asked(finished: tuple[Path, list[Progress]], config: RunConfig) -> None:
    root, _ = finished
    events = run(root, config, "pinned", model=str(record(root)["run"]))
    assert {"teachers", "encode", "views", "sharpen", "distill"}.isdisjoint(event.stage for event in events)
    assert (root / "pinned" / "en" / "run.tsv").read_bytes() == (root / "out" / "en" / "run.tsv").read_bytes()


def test_its_student_is_published_with_every_encoder_and_score(finished: tuple[Path, list[Progress]], tmp_path: Path) -> None:
    root, _ = finished
    run = str(record(root)["run"])
    publish(Store(str(root / "store")), str(root / "out"), tmp_path / "model")
    publish(Store(str(root / "store")), run, tmp_path / "again")
    assert contents(tmp_path / "model") == contents(tmp_path / "again")
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert all(f"| {role} | " in card for role in ("phrase", "sentence", "start", "token", "tokenizer"))
    assert "| en | 5 | " in card and "| it | 5 | " in card and "| `transport_plans` | 2 |" in card and "| `encoders` | 1 |" in card
    assert str(root) not in card and load_encoder(tmp_path / "model", ModelSource(), "cpu", torch.float32, 512).width == 64


def test_gold_makes_a_second_student_from_a_target_that_differs_inside_mapped_spans_alone(
    finished: tuple[Path, list[Progress]], config: RunConfig
) -> None:
    root, _ = finished
    listed = root / "train.txt"
    listed.write_text("".join(f"{name}\n" for name in DECLARED), "utf-8")
    events = run(root, config, "taught", listed)
    assert built(events)["distill with gold"] == 1 and built(events)["distill"] == 0
    store = root / "store"
    spans = mapped(pl.read_parquet(next((store / "mapped_spans" / "es-en").glob("*.parquet"))).to_arrow())
    assert set(spans) <= set(DECLARED) and spans
    plain, biased = sorted((store / "transport_plans" / "es-en").rglob("*.parquet"), key=lambda path: path.stat().st_mtime)
    changed = 0
    for ours, theirs in zip(*(pl.read_parquet(path).sort("document").iter_rows(named=True) for path in (plain, biased)), strict=True):
        inside = np.zeros((ours["rows"], ours["columns"]), dtype=bool)
        for span in spans.get(ours["document"], ()):
            inside[np.ix_(span.source, span.target)] = True
        band = Band.from_row(ours)
        differs = np.array(ours["plan"]) != np.array(theirs["plan"])
        assert not (differs & ~inside[band.row_of_cell(), band.column_of_cell()]).any()
        changed += int(differs.sum())
    assert changed > 0


def test_a_teacher_that_is_not_there_is_one_sentence(finished: tuple[Path, list[Progress]], config: RunConfig) -> None:
    root, _ = finished
    lost = config.model_copy(
        update={"teachers": config.teachers.model_copy(update={"phrase": config.teachers.phrase.model_copy(update={"model": ""})})}
    )
    with pytest.raises(EncoderError, match=r"^setting teachers\.phrase is required: it takes an id"):
        run(root, lost, "lost")
