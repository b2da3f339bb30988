from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.distill import lesson_loss
from pipeline_lib.alignment.student import Student, save_student
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import TuneConfig, TunedStudent, read_student, save_tuned, tune
from tests.encoders import Family, texts
from tests.pipeline_lib.alignment.pupils import small_student
from tests.pipeline_lib.encoding.conftest import Load
from tests.pipeline_lib.encoding.test_transformer import grid, vectors
from tests.pipeline_lib.encoding.toy_lessons import toy_lesson

QUICK = TuneConfig(epochs=4, least_steps=0, crops_a_step=1, learning_rate=3e-3, patience=9, threads=1, save_memory=False)
COSINE = AlignConfig(student_plan="cosine")


def taught(load: Load, **changes: object) -> tuple[TunedStudent, list[float]]:
    student = TunedStudent(load("wordpiece"))
    lesson = toy_lesson(grid(texts()[0]), grid(texts()[1]))
    log = tune(student, [lesson], [lesson], QUICK.model_copy(update=changes), COSINE)
    return student, [epoch.held_out_loss for epoch in log]


def test_training_lowers_the_loss_of_what_is_taught(load: Load) -> None:
    student, losses = taught(load)
    assert losses[-1] < losses[0]
    with torch.no_grad():
        found = lesson_loss(student, toy_lesson(grid(texts()[0]), grid(texts()[1])), COSINE, 1)
    assert float(found) == pytest.approx(min(losses), abs=1e-5)


def test_working_states_out_again_gives_the_same_training(load: Load) -> None:
    assert taught(load, save_memory=True)[1] == pytest.approx(taught(load)[1], abs=1e-4)


def test_bfloat16_products_train_about_as_well_and_the_weights_stay_float32(load: Load) -> None:
    student, losses = taught(load, precision="bfloat16")
    assert losses == pytest.approx(taught(load, precision="float32")[1], abs=0.05)
    assert {weight.dtype for weight in student.encoder.model.parameters()} == {torch.float32}


def test_a_lesson_longer_than_a_pass_is_read_in_windows_and_every_layer_learns(load: Load) -> None:
    student = TunedStudent(load("wordpiece"))
    lesson = toy_lesson(grid(texts()[0]), grid(texts()[1]))
    assert len(student.encoder.read(lesson.source).windows.starts) > 1
    lesson_loss(student, lesson, COSINE, 1).backward()
    still = [name for name, weight in student.encoder.model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == []


def test_what_is_saved_is_read_by_plain_transformers_and_by_us(load: Load, tmp_path: Path) -> None:
    student, text = TunedStudent(load("unigram")), grid(texts()[2])
    save_tuned(student, tmp_path)
    AutoModel.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    again = read_student(tmp_path, ModelSource(model="saved", overlap=32), "cpu", 4096)
    assert isinstance(again, TunedStudent)
    assert torch.equal(vectors(again.encoder, text), vectors(student.encoder, text))


def test_a_student_that_starts_from_an_inner_hidden_state_is_a_shorter_encoder(load: Load, tmp_path: Path) -> None:
    student, text = TunedStudent(load("wordpiece", hidden_state=2)), grid(texts()[2])
    save_tuned(student, tmp_path)
    again = read_student(tmp_path, ModelSource(model="saved", overlap=32), "cpu", 4096)
    assert isinstance(again, TunedStudent)
    assert torch.equal(vectors(again.encoder, text), vectors(student.encoder, text))


def test_the_student_of_fitted_teachers_is_read_too(tmp_path: Path) -> None:
    save_student(small_student(), tmp_path)
    assert isinstance(read_student(tmp_path, ModelSource(), "cpu", 1), Student)


def test_either_side_is_read_alike(folders: dict[Family, Path], load: Load) -> None:
    student, text = TunedStudent(load("bpe")), grid("fiebre alta")
    with torch.no_grad():
        assert torch.equal(student.read(text, "source"), student.encode(text, "target"))
