import shutil
from pathlib import Path

import pytest

from pipeline_lib.encoding.model_files import EncoderError, ModelSource, Origin, copy_model, locate, model_files, model_hash, read_origin
from tests.encoders import Family


def source(folder: Path) -> ModelSource:
    return ModelSource(model=str(folder))


@pytest.fixture
def own(folders: dict[Family, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folders["wordpiece"], tmp_path / "own"))


def test_a_folder_is_taken_as_it_is_with_its_licence(own: Path) -> None:
    folder, origin = locate(source(own), "teachers.token")
    assert folder == own
    assert (origin.model, origin.revision, origin.licence) == (str(own), "", "apache-2.0")
    assert origin.bytes == sum((own / name).stat().st_size for name in model_files(own))


@pytest.mark.parametrize(
    ("gone", "missing"),
    [("config.json", "config.json"), ("model.safetensors", "weights in safetensors"), ("tokenizer.json", "tokenizer.json")],
)
def test_a_folder_that_lacks_something_is_an_error_with_setting_model_and_layout(own: Path, gone: str, missing: str) -> None:
    (own / gone).unlink()
    (own / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(EncoderError) as caught:
        locate(source(own), "teachers.token")
    told = str(caught.value)
    assert told.startswith(
        f"setting teachers.token: {own} has no {missing}; it takes an id on the Hugging Face hub or a folder with config.json"
    )
    assert "\n" not in told


def test_a_tokenizer_alone_needs_no_weights(own: Path) -> None:
    (own / "model.safetensors").unlink()
    locate(source(own), "units.tokenizer", weights=False)


def test_a_model_that_is_not_named_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(EncoderError, match=r"setting teachers\.phrase is required: it takes an id"):
        locate(ModelSource(), "teachers.phrase")


def test_without_the_hub_one_message_names_model_setting_revision_and_layout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError) as caught:
        locate(ModelSource(model="some/encoder", revision="v2"), "teachers.sentence")
    told = str(caught.value)
    assert told.startswith("setting teachers.sentence: some/encoder is no folder here, and the hub does not give it at revision v2 (")
    assert "tokenizer.json" in told and "\n" not in told


def test_what_is_neither_a_folder_nor_an_id_is_an_error() -> None:
    with pytest.raises(EncoderError, match="neither a folder nor an id of the hub"):
        locate(ModelSource(model="/no/such/folder/at/all"), "teachers.sentence")


def test_a_setting_may_be_the_model_alone() -> None:
    assert ModelSource.model_validate("some/encoder") == ModelSource(model="some/encoder")


def test_a_copy_holds_what_is_read_and_where_it_came_from_and_no_code(own: Path, tmp_path: Path) -> None:
    (own / "modeling.py").write_text("raise SystemExit")
    (own / "pytorch_model.bin").write_bytes(b"a pickle")
    into = tmp_path / "copy"
    into.mkdir()
    origin = Origin("some/encoder", "0" * 40, "mit", 7)
    copy_model(own, into, origin)
    assert {path.name for path in into.iterdir()} == {*model_files(own), "origin.json"}
    assert read_origin(into) == origin and model_hash(into) == model_hash(own)


def test_any_byte_that_is_read_changes_the_hash_and_what_is_not_read_does_not(own: Path) -> None:
    before, tokenizer = model_hash(own), model_hash(own, weights=False)
    (own / "notes.md").write_text("nothing")
    assert model_hash(own) == before
    weights = bytearray((own / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (own / "model.safetensors").write_bytes(weights)
    assert model_hash(own) != before and model_hash(own, weights=False) == tokenizer


@pytest.mark.parametrize("card", ["no head", "---\ntags: []\n---\n", "---\nlicense:\n---\n"])
def test_a_card_that_states_no_licence_is_no_error(own: Path, card: str) -> None:
    (own / "README.md").write_text(card)
    assert locate(source(own), "x")[1].licence == "unknown"


def test_where_nothing_is_downloaded_the_hub_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("the network was asked"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        EncoderError, match=r"^setting teachers\.sentence: some/encoder is not on this machine, and nothing is downloaded here$"
    ):
        locate(ModelSource(model="some/encoder"), "teachers.sentence", download=False)
