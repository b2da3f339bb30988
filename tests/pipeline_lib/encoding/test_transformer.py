import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.encoding.model_files import EncoderError, ModelSource
from pipeline_lib.encoding.pieces import cut
from pipeline_lib.encoding.transformer import Encoder, encode_texts, load_encoder
from tests.encoders import FAMILIES, Family, texts
from tests.pipeline_lib.encoding.conftest import Load

EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)
SHORT = "Fiebre de 38,5 °C y tos."


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def vectors(encoder: Encoder, text: GridText) -> torch.Tensor:
    with torch.no_grad():
        return encoder.vectors([encoder.read(text)])[0]


def by_hand(folder: Path, encoder: Encoder, text: GridText, hidden_state: int = 0) -> torch.Tensor:
    """What plain transformers give for a short text, brought to unit length and averaged over the characters of every unit."""
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        given = model(**encoder.tokenizer(text.text, return_tensors="pt", return_token_type_ids=False), output_hidden_states=True)
    states = torch.nn.functional.normalize((given.hidden_states[hidden_state] if hidden_state else given.last_hidden_state)[0], dim=1)
    pieces, rows = cut(encoder.tokenizer, text.text), []
    for start, end in zip(text.starts, text.ends, strict=True):
        owner = [next(i for i in range(len(pieces.ids)) if pieces.starts[i] <= place < pieces.ends[i]) for place in range(start, end)]
        rows.append(states[1:-1][owner].sum(dim=0))
    return torch.nn.functional.normalize(torch.stack(rows), dim=1)


@EVERY_FAMILY
def test_a_text_s_vectors_are_those_of_plain_transformers(family: Family, folders: dict[Family, Path], load: Load) -> None:
    encoder = load(family)
    assert torch.allclose(vectors(encoder, grid(SHORT)), by_hand(folders[family], encoder, grid(SHORT)), atol=1e-5)


@EVERY_FAMILY
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_an_inner_hidden_state_is_taken_without_the_layers_after_it(
    family: Family, layer: int, folders: dict[Family, Path], load: Load
) -> None:
    encoder = load(family, hidden_state=layer)
    assert len(encoder.model.encoder.layer) == layer
    assert torch.allclose(vectors(encoder, grid(SHORT)), by_hand(folders[family], encoder, grid(SHORT), layer), atol=1e-5)


def test_a_hidden_state_that_the_model_lacks_is_an_error(load: Load) -> None:
    with pytest.raises(EncoderError, match="no hidden state 4: the model has 3 layers"):
        load("wordpiece", hidden_state=4)


@pytest.mark.parametrize(("family", "positions"), [("unigram", 128), ("bpe", 128), ("wordpiece", 130)])
def test_a_pass_takes_as_many_tokens_as_the_model_has_positions_for(family: Family, positions: int, load: Load) -> None:
    """RoBERTa's kin lose the padding's place and those before it."""
    encoder = load(family)
    assert encoder.room + len(encoder.before) + len(encoder.after) == positions
    ids = torch.full((1, positions), 7)
    encoder.model(input_ids=ids)
    with pytest.raises((IndexError, RuntimeError)):
        encoder.model(input_ids=torch.full((1, positions + 1), 7))


@EVERY_FAMILY
def test_a_long_text_s_vectors_are_unit_length_and_one_a_unit(family: Family, load: Load) -> None:
    encoder, text = load(family), grid(max(texts(), key=len))
    reading = encoder.read(text)
    assert len(reading.windows.starts) > 2 and reading.windows.length <= encoder.room
    assert vectors(encoder, text).norm(dim=1).numpy() == pytest.approx(np.ones(len(text.starts)), abs=1e-5)


def test_a_join_of_windows_changes_a_vector_little(load: Load) -> None:
    """Random weights look everywhere, so this is about the worst that a join does; measured: mean .985, least .868."""
    whole, parts, text = load("wordpiece"), load("wordpiece", window=80), grid(" ".join(max(texts(), key=len).split()[:50]))
    assert len(whole.read(text).windows.starts) == 1 < len(parts.read(text).windows.starts)
    cosines = (vectors(whole, text) * vectors(parts, text)).sum(dim=1)
    assert float(cosines.mean()) > 0.97 and float(cosines.min()) > 0.85


def test_a_join_of_windows_changes_nothing_where_a_piece_sees_itself_alone(load: Load) -> None:
    whole, parts, text = load("wordpiece"), load("wordpiece", window=40, overlap=7), grid(" ".join(max(texts(), key=len).split()[:50]))
    for encoder in (whole, parts):
        encoder.model.embeddings.position_embeddings.weight.data.zero_()
        for layer in encoder.model.encoder.layer:
            layer.attention.output.dense.weight.data.zero_()
    assert torch.allclose(vectors(whole, text), vectors(parts, text), atol=1e-5)


@EVERY_FAMILY
def test_texts_read_together_give_what_each_gives_alone(family: Family, load: Load) -> None:
    encoder = load(family, at_once=300)
    some = [grid(text) for text in (*texts()[:4], SHORT, "x", *texts()[7:9])]
    with torch.no_grad():
        together = encoder.vectors([encoder.read(text) for text in some])
    for text, found in zip(some, together, strict=True):
        assert torch.allclose(found, vectors(encoder, text), atol=1e-5)


def test_a_unit_that_meets_no_piece_and_a_text_without_units_are_no_nan(load: Load) -> None:
    encoder = load("wordpiece")
    text = "a \u200d b"  # the tokenizer drops the joiner
    found = vectors(encoder, GridText(text, [0, 2, 4], [1, 3, 5], [0]))
    assert found.norm(dim=1).tolist() == pytest.approx([1, 0, 1], abs=1e-5)
    assert vectors(encoder, GridText("", [], [], [])).shape == (0, encoder.width)
    assert vectors(encoder, GridText("\u200d", [0], [1], [0])).tolist() == [[0.0] * encoder.width]


def test_too_small_a_memory_halves_the_pass_and_goes_on(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, some = load("wordpiece", at_once=10_000), [grid(text) for text in texts()[:3]]
    expected, plain, passes = [vectors(encoder, text) for text in some], Encoder._states, []

    def small(self: Encoder, windows: list[list[int]]) -> torch.Tensor:
        passes.append(len(windows))
        if len(windows) > 2:
            raise torch.OutOfMemoryError
        return plain(self, windows)

    monkeypatch.setattr(Encoder, "_states", small)
    with torch.no_grad():
        found = encoder.vectors([encoder.read(text) for text in some])
    assert passes[0] > 2 and max(passes[3:]) <= 2
    assert all(torch.allclose(ours, theirs, atol=1e-5) for ours, theirs in zip(found, expected, strict=True))


def test_a_window_that_fits_no_memory_is_an_error_that_says_so(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Encoder, windows: list[list[int]]) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Encoder, "_states", full)
    with pytest.raises(EncoderError, match=r"one window of .* tokens does not fit the memory of cpu"):
        vectors(load("bpe"), grid(SHORT))


def test_encoded_texts_come_in_order_as_float16(load: Load) -> None:
    encoder, some = load("unigram"), [grid(text) for text in (SHORT, "tos", texts()[0])]
    for text, (reading, found) in zip(some, encode_texts(encoder, some), strict=True):
        assert found.dtype == np.float16 and reading.units == len(text.starts)
        assert found.astype(np.float32) == pytest.approx(vectors(encoder, text).numpy(), abs=1e-3)


def broken(folder: Path, into: Path) -> Path:
    shutil.copytree(folder, into)
    return into


def test_weights_that_lack_a_tensor_are_an_error_not_a_random_tensor(folders: dict[Family, Path], tmp_path: Path) -> None:
    folder = broken(folders["wordpiece"], tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"lack 1 of the model's tensors, such as encoder\.layer\.1\.output\.dense\.weight"):
        load_encoder(folder, ModelSource(model="m"), "cpu", torch.float32, 1)


def test_a_model_whose_code_would_have_to_be_run_is_refused(folders: dict[Family, Path], tmp_path: Path) -> None:
    folder = broken(folders["wordpiece"], tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "strange", "auto_map": {"AutoModel": "code.Model", "AutoConfig": "code.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('was run')")
    with pytest.raises(EncoderError, match="cannot be read as an encoder"):
        load_encoder(folder, ModelSource(model="m"), "cpu", torch.float32, 1)


def test_a_window_without_room_for_the_overlap_is_an_error(load: Load) -> None:
    with pytest.raises(EncoderError, match="a window of 20 tokens leaves no room for an overlap of 32 pieces"):
        load("wordpiece", window=20)
