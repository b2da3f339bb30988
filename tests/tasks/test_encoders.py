from pathlib import Path

import pytest

from pipeline_lib.encoding.model_files import EncoderError, ModelSource, read_origin
from pipeline_lib.storage.store import Store
from tasks.encoders import take_encoder
from tests.encoders import save_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"), "wordpiece")


def test_an_encoder_is_taken_into_the_store_once(folder: Path, tmp_path: Path) -> None:
    source = ModelSource(model=str(folder))
    first, again = (take_encoder.fn(str(tmp_path), "token", source, "teachers.token") for _ in range(2))
    assert not first.reused and again.reused and again.key == first.key
    with Store(str(tmp_path)).local(first) as taken:
        assert read_origin(taken).licence == "apache-2.0"
        assert (taken / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_a_tokenizer_alone_has_no_weights(folder: Path, tmp_path: Path) -> None:
    ref = take_encoder.fn(str(tmp_path), "tokenizer", ModelSource(model=str(folder)), "units.tokenizer", False)
    with Store(str(tmp_path)).local(ref) as taken:
        assert not list(taken.glob("*.safetensors")) and (taken / "tokenizer.json").is_file()


def test_the_setting_is_named_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"teachers\.phrase"):
        take_encoder.fn(str(tmp_path), "phrase", ModelSource(), "teachers.phrase")
