import sys
from pathlib import Path

import pytest
import torch

from pipeline_lib.encoding.int8 import is_int8, load_int8, write_int8
from pipeline_lib.encoding.model_files import EncoderError, ModelSource
from pipeline_lib.encoding.transformer import Encoder
from tests.encoders import Family, texts
from tests.pipeline_lib.encoding.conftest import Load
from tests.pipeline_lib.encoding.test_transformer import grid, vectors


@pytest.fixture(scope="module")
def written(folders: dict[Family, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Encoder]:
    """The second hidden state of the XLM-R-shaped encoder with int8 weights, and as it was."""
    from pipeline_lib.encoding.transformer import load_encoder

    into = tmp_path_factory.mktemp("int8")
    source = ModelSource(model="unigram", hidden_state=2, overlap=32)
    plain = load_encoder(folders["unigram"], source, "cpu", torch.float32, 4096)
    write_int8(plain, folders["unigram"], into)
    return into, plain


def test_vectors_are_about_the_same_however_long_the_text_is(written: tuple[Path, Encoder]) -> None:
    folder, plain = written
    rounded = load_int8(folder, ModelSource(overlap=32), 4096)
    assert (rounded.room, rounded.overlap, rounded.width) == (plain.room, plain.overlap, plain.width)
    for text in ("x", "Fiebre de 38,5 °C y tos.", texts()[0], max(texts(), key=len)):
        cosines = (vectors(plain, grid(text)) * vectors(rounded, grid(text))).sum(dim=1)
        assert float(cosines.min()) > 0.99


def test_texts_of_several_windows_go_through_together(written: tuple[Path, Encoder]) -> None:
    rounded = load_int8(written[0], ModelSource(overlap=32), 4096)
    together = rounded.vectors([rounded.read(grid(text)) for text in texts()[:3]])
    assert all(float((one * vectors(rounded, grid(text))).sum(dim=1).min()) > 0.99 for one, text in zip(together, texts()[:3], strict=True))


def test_the_folder_holds_no_other_weights(written: tuple[Path, Encoder], folders: dict[Family, Path]) -> None:
    folder, _ = written
    assert is_int8(folder) and not is_int8(folders["unigram"])
    assert not list(folder.glob("*.safetensors")) and (folder / "tokenizer.json").is_file()


def test_without_the_extra_one_sentence_says_what_to_install(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(EncoderError, match=r"needs onnxscript: pip install 'spanferry\[onnx\]'"):
        write_int8(load("bpe"), tmp_path, tmp_path)
