"""Encoders and their cost on a sample: tiny ones, from folders."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_contracts import ALIGNMENTS, COST_MATRICES
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.model_files import EncoderError, ModelSource
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.encoding.views import ROLES, ViewsConfig
from pipeline_lib.planning.encoder_stages import EncoderPace, one_thread, read_cells, time_align_vectors, time_encoder, time_views
from pipeline_lib.planning.text_stages import by_turns
from tests.encoders import save_encoder
from tests.pipeline_lib.planning.conftest import BAND, QUICK, Tried

LANGS = ("es", "en")
SOURCE = ModelSource(model="tiny", overlap=32)
CPU = EncodeConfig(device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("planned") / "tiny")


@pytest.fixture(scope="module")
def texts(tried: Tried) -> dict[str, GridText]:
    return {name: found.text for name, found in by_turns(tried.sample).items()}


@pytest.fixture(scope="module")
def timed(folder: Path, texts: dict[str, GridText]) -> EncoderPace:
    return time_encoder(folder, SOURCE, texts, CPU, QUICK, cut=10_000)


def test_an_encoder_s_rate_is_in_the_tokens_that_it_reads(timed: EncoderPace, folder: Path, texts: dict[str, GridText]) -> None:
    encoder = load_encoder(folder, SOURCE, "cpu", torch.float32, 4096)
    for lang in ("es", "en", "it"):
        own = [text for name, text in texts.items() if name.startswith(lang)]
        units = sum(len(text.starts) for text in own)
        assert timed.reads[lang] * units == pytest.approx(sum(encoder.read(text).tokens for text in own))
        assert timed.reads[lang] > 1  # a word has a piece or more, and windows overlap
    assert timed.pace.rate > 0 and timed.load > 0 and timed.width == 32


def test_a_number_of_a_vector_takes_two_bytes_and_its_share_of_the_file_s_dictionary(timed: EncoderPace) -> None:
    """Of small texts, that is: there are no more float16 than a dictionary of 128 kB holds, and a part of a run has millions."""
    assert 1.8 < timed.each < 3.0


def test_what_was_read_first_is_a_document_in_both_languages(timed: EncoderPace, tried: Tried) -> None:
    first = next(iter(tried.pair.source))
    assert {f"es/{first}", f"en/{first}"} <= set(timed.pace.made)


def test_a_text_that_takes_too_long_is_cut(folder: Path, texts: dict[str, GridText]) -> None:
    found = time_encoder(folder, SOURCE, texts, CPU, replace(QUICK, seconds=1e-6))
    assert found.cut == 64
    assert all(table["units"][0].as_py() == 64 for (table,) in found.pace.made.values())


def test_on_a_gpu_the_texts_of_a_language_are_read_together(
    folder: Path, texts: dict[str, GridText], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_lib.planning.encoder_stages.chosen_device", lambda _: "meta")
    monkeypatch.setattr(
        "pipeline_lib.planning.encoder_stages.load_encoder", lambda *given: load_encoder(given[0], given[1], "cpu", *given[3:])
    )
    found = time_encoder(folder, SOURCE, texts, EncodeConfig(device="cpu", precision="float32"), QUICK, cut=10_000)
    assert len(found.pace.made) >= 8 and "es/case-01" in found.pace.made and "en/case-01" in found.pace.made


def test_views_and_alignments_are_timed_on_what_was_read(timed: EncoderPace, tried: Tried) -> None:
    encoders = dict.fromkeys(ROLES, timed)
    costs = time_views(LANGS, tried.groups, encoders, ViewsConfig(), QUICK)
    aligned = time_align_vectors(LANGS, tried.groups, timed, AlignConfig(student_plan="cosine"), QUICK)
    cells = read_cells(LANGS, tried.groups, encoders.values(), BAND, True)
    assert costs.rate > 0 and set(costs.sizes) == {COST_MATRICES.name}
    assert aligned.rate > 0 and set(aligned.sizes) == {ALIGNMENTS.name}
    assert all(len(costs.made[name][0]["cost"][0]) == cells[name] == tried.cells[name] for name in costs.made)


def test_cells_of_cut_texts_are_those_of_what_was_read(folder: Path, texts: dict[str, GridText], tried: Tried) -> None:
    cut = time_encoder(folder, SOURCE, texts, CPU, QUICK, cut=70)
    assert all(0 < cells <= 70 * 70 for cells in read_cells(LANGS, tried.groups, [cut], BAND, False).values())


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_an_encoder_that_cannot_be_read_is_one_error(texts: dict[str, GridText], tmp_path: Path) -> None:
    with pytest.raises(EncoderError):
        time_encoder(tmp_path, SOURCE, texts, CPU, QUICK)
