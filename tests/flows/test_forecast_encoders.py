"""The transformers of a forecast: found on this machine, or not at all."""

import socket
from pathlib import Path

import pytest

from flows.config import RunConfig, load_config
from flows.forecast_encoders import find_transformers
from pipeline_lib.encoding.model_files import EncoderError


def named(folder: Path, *settings: str) -> RunConfig:
    return load_config("paper", [*(f"teachers.{role}.model={folder}" for role in ("sentence", "phrase", "token")), *settings])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"{}")
    return tmp_path


def test_all_that_a_run_asks_is_found_before_anything_is_timed(folder: Path) -> None:
    found = find_transformers(named(folder))
    assert found.tokenizer == found.start == folder and set(found.teachers) == {"sentence", "phrase", "token"}
    assert set(find_transformers(named(folder, "views.token=0")).teachers) == {"sentence", "phrase"}


def test_fitted_teachers_ask_for_none() -> None:
    found = find_transformers(load_config("embedded"))
    assert (found.tokenizer, found.teachers, found.start) == (None, {}, None)


def test_a_model_of_the_hub_that_is_not_here_is_one_sentence_and_no_network_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(
        EncoderError, match=r"^setting teachers\.phrase: some/encoder is not on this machine, and nothing is downloaded here$"
    ):
        find_transformers(named(folder, "teachers.phrase.model=some/encoder"))


def test_a_teacher_without_a_model_is_a_required_setting() -> None:
    with pytest.raises(EncoderError, match=r"^setting teachers\.sentence is required"):
        find_transformers(load_config("paper", ["teachers.sentence.model="]))
