import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

from data_contracts.evaluation import SCORES
from pipeline_lib.alignment.training import Epoch
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.encoding.card import CardData, Scored, described, example_languages, grouped, iso, provenance, public_name, render_card
from pipeline_lib.encoding.model_files import Origin
from pipeline_lib.encoding.transformer import Encoder
from pipeline_lib.storage.lineage import Origin as MadeOf
from tests.card_lines import run_lines
from tests.encoders import FAMILIES, Family

HUB = Origin("BAAI/bge-m3", "5617a9f61b028005a4858fdac845db406aefb181", "mit", 5)
FOLDER = Origin("/home/somebody/models/mine", "", "unknown", 5)
SOURCE = {"hidden_state": 0, "model": "", "revision": "main", "window": 0, "overlap": 128}
CONFIG: dict[str, Any] = {
    "aligner": "student",
    "corpus": {"scored": "/home/somebody/list.tsv"},
    "teachers": {"kind": "transformers", "sentence": {**SOURCE, "model": HUB.model}, "phrase": {**SOURCE, "model": FOLDER.model}},
    "tune": {"epochs": 2, "start": SOURCE},
    **{key: {"some": 1} for key in ("units", "segments", "encode", "views", "sharpen", "mcai", "align")},
}
DATA = CardData(
    run="run-1",
    spanferry="0.1.0",
    shape={"model_type": "xlm-roberta", "num_hidden_layers": 2, "hidden_size": 8},
    source="es",
    targets=["en", "cz", "no"],
    documents=7,
    declared=0,
    student="student/es-en/aa",
    manifest="bb",
    made_of=MadeOf("student@2", {}, ("cc",), "dd", {"torch": "2.13.0"}),
    inputs=["units/es/0/ee", "documents/es/0/cc"],
    encoders={"start": HUB, "phrase": FOLDER},
    config=CONFIG,
    log=[Epoch(0, 0, None, 1.5, 0.0, True), Epoch(1, 20, 1.25, 1.125, 1e-5, True), Epoch(2, 40, 0.75, 1.25, 0.0, False)],
    scored=None,
)


def scored(aligner: str = "student") -> Scored:
    rates = {"precision": 0.5, "recall": 0.5, "low": 0.25, "high": 0.75, "gold": 9, "predicted": 8, "documents": 3}
    rows = [
        {"target_lang": lang, "label": label, "metric": metric, "f1": f1, "matched": 4 if metric == "strict" else None, **rates}
        for lang in ("en", "cz")
        for label, f1 in (("*", 0.5), ("DRUG", 0.125))
        for metric in ("strict", "char")
    ]
    return Scored("run-2", aligner, "ff", SCORES.table(rows))


def head(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return found


def test_the_head_is_what_the_hub_reads() -> None:
    """Czech under its ISO code, Norwegian as a word and no truth value."""
    card = render_card(DATA)
    assert head(card) == {
        "language": ["es", "en", "cs", "no"],
        "license": "mit",
        "base_model": "BAAI/bge-m3",
        "library_name": "transformers",
        "pipeline_tag": "feature-extraction",
        "tags": ["spanferry", "word-alignment", "annotation-projection", "cross-lingual"],
    }
    assert ModelCard(card).data.to_dict() == head(card)


def test_of_a_folder_only_its_name_is_told_and_the_head_names_no_base() -> None:
    card = render_card(replace(DATA, encoders={"start": FOLDER, "phrase": HUB}))
    assert "base_model" not in head(card) and head(card)["license"] == "unknown"
    assert "It began as `mine`, whose" in card and "somebody" not in card
    assert public_name(HUB) == HUB.model and public_name(replace(FOLDER, model=".")) == "a folder"
    assert provenance(DATA)["encoders"]["phrase"] == {"model": "mine", "revision": "", "licence": "unknown", "bytes": 5}


def test_a_licence_is_a_word_whatever_it_holds() -> None:
    for licence in ("no", 'a"b: c', "other\\n", "é\n- x", "\U000e0001"):
        assert head(render_card(replace(DATA, encoders={"start": replace(HUB, licence=licence)})))["license"] == licence


def test_the_settings_are_those_of_the_training_and_name_no_place() -> None:
    card = render_card(DATA)
    settings = tomllib.loads(card.split("```toml\n")[1].split("```")[0])
    assert settings["tune"] == CONFIG["tune"] and settings["teachers"]["sentence"] == CONFIG["teachers"]["sentence"]
    assert settings["teachers"]["phrase"]["model"] == "mine" and "corpus" not in settings


def test_fingerprints_of_a_kind_are_told_by_one() -> None:
    assert grouped(["units/es/0/b", "documents/es/0/a", "units/es/1/c"])[0] == ("documents", 1, "a")
    (_, (name, number, together)) = grouped(["documents/es/0/a", "units/es/0/b", "units/es/1/c"])
    assert (name, number) == ("units", 2)
    assert together == grouped(["units/es/1/c", "units/es/0/b"])[0][2] != grouped(["units/es/0/b", "units/es/1/d"])[0][2]
    card = render_card(DATA)
    assert "| `documents` | 1 | `cc` |" in card and "| `units` | 1 | `ee` |" in card


def test_the_weights_that_were_kept_are_told() -> None:
    said = " ".join(render_card(DATA).split())
    assert "epoch 1 of 2 (20 steps): loss on held-out documents 1.1250, that of the untrained student 1.5000" in said


def test_scores_are_those_of_all_labels_with_the_run_they_are_of() -> None:
    card = render_card(replace(DATA, scored=scored()))
    assert "| en | 3 | 9 | 0.5000 (0.2500 to 0.7500) | 0.5000 (0.2500 to 0.7500) |\n| cz | 3 | 9 |" in card
    assert "run `run-2` projected" in card and "0.1250" not in card and "not its own" not in card
    assert "not its own" in render_card(replace(DATA, scored=scored("target")))
    assert "had no gold" in render_card(DATA)


def test_gold_that_may_have_been_learnt_from_is_told() -> None:
    assert "No gold annotation" in render_card(DATA) and "MCAI" not in render_card(DATA)
    assert "gold mentions of 4 declared documents could bias the plans (MCAI)" in render_card(replace(DATA, declared=4))
    assert "No gold annotation" in render_card(replace(DATA, declared=4, config={**CONFIG, "aligner": "target"}))


@pytest.mark.parametrize(
    ("langs", "chosen"), [(("es", "cz", "en"), ("es", "cs")), (("fr", "IT"), ("it", "es")), (("fr", "de"), ("es", "en"))]
)
def test_the_example_is_in_the_student_s_languages_where_there_is_one(langs: tuple[str, ...], chosen: tuple[str, str]) -> None:
    assert example_languages(langs[0], langs[1:]) == chosen
    assert iso("cs") == iso("cz") == iso("CZ") == "cs"


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (DATA.shape, "xlm-roberta, 2 layers, 8 dimensions"),
        ({"model_type": "distilbert", "n_layers": 6, "dim": 768}, "distilbert, 6 layers, 768 dimensions"),
        ({"model_type": "new"}, "new"),
    ],
)
def test_a_model_is_described_as_far_as_its_settings_tell(shape: dict[str, Any], said: str) -> None:
    assert described(shape) == said and f"An encoder ({said})" in render_card(replace(DATA, shape=shape))


def test_the_same_data_give_the_same_bytes() -> None:
    assert render_card(replace(DATA, scored=scored())) == render_card(replace(DATA, scored=scored()))
    assert json.dumps(provenance(DATA)) == json.dumps(provenance(replace(DATA, inputs=DATA.inputs[::-1])))


def aligned(encoder: Encoder, source: str, target: str) -> list[tuple[str, str]]:
    """Each other's nearest words by the encoder as the run uses it."""
    grids = [GridText(text, *(getattr(split_units(text), name) for name in ("starts", "ends", "breaks"))) for text in (source, target)]
    rows, columns = encoder.vectors([encoder.read(grid) for grid in grids])
    cosine = rows @ columns.T
    words = [[grid.text[start:end] for start, end in zip(grid.starts, grid.ends, strict=True)] for grid in grids]
    return [(words[0][i], words[1][j]) for i, j in enumerate(cosine.argmax(1).tolist()) if int(cosine[:, j].argmax()) == i]


def test_its_lines_align_as_the_run_does(folders: dict[Family, Path], load: Callable[..., Encoder], tmp_path: Path) -> None:
    """Three families of models and tokenizers, where nothing of ours can be imported; of the last the second layer's states."""
    expected, published = [], []
    for family, hidden_state in zip(FAMILIES, (0, 0, 2), strict=True):
        config = {**CONFIG, "tune": {"start": {**SOURCE, "hidden_state": hidden_state}}}
        folder = tmp_path / family
        folder.mkdir()
        for path in folders[family].iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "README.md").write_text(render_card(replace(DATA, config=config)), encoding="utf-8")
        published.append(folder)
        with torch.inference_mode():
            encoder = load(family, hidden_state=hidden_state)
            expected.append(aligned(encoder, "El tren sale mañana a las ocho.", "The train leaves tomorrow at eight."))
    found = run_lines(published)
    assert found == expected and all(found) and len({str(pairs) for pairs in found}) == 3
