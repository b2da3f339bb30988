import copy
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.alignment import TRAINING_LOG
from pipeline_lib.alignment import distill as module
from pipeline_lib.alignment.align import AlignConfig, align_document
from pipeline_lib.alignment.band import BandConfig, prior, scaled_diagonal
from pipeline_lib.alignment.distill import DistillConfig, alignment_loss, distill, lesson_loss, training_log, transported
from pipeline_lib.alignment.features import SIDES
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.alignment.student import Student, save_student
from pipeline_lib.alignment.training import Epoch, Training
from tests.pipeline_lib.alignment.pupils import grid, small_student, toy_lessons, vectors

pytestmark = pytest.mark.usefixtures("one_thread")

Matrix = list[list[int]]
SHORT = DistillConfig(epochs=2, least_steps=0, learning_rate=5e-3, crops_a_step=4)
USE = AlignConfig()
PLANS = pytest.mark.parametrize("plan", ["transport", "cosine"])


def matrices(rows: int, columns: int, low: int, high: int) -> st.SearchStrategy[Matrix]:
    return st.lists(st.lists(st.integers(low, high), min_size=columns, max_size=columns), min_size=rows, max_size=rows)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Matrix, Matrix, Matrix]:
    """Similarity, target and band of small whole numbers; the similarity is often a scaled target, whole, by row or by column."""
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    target, inside = np.array(draw(matrices(rows, columns, 0, 2))), np.array(draw(matrices(rows, columns, 0, 1)))
    assume((target * inside).any())
    factors = {
        "whole": np.full((rows, columns), draw(st.integers(1, 3))),
        "rows": np.array(draw(matrices(rows, 1, 1, 2))) * np.ones((1, columns), dtype=int),
        "columns": np.array(draw(matrices(1, columns, 1, 2))) * np.ones((rows, 1), dtype=int),
        "negative": np.full((rows, columns), -1),
    }
    kind = draw(st.sampled_from([*factors, "free"]))
    similarity = np.array(draw(matrices(rows, columns, -2, 2))) if kind == "free" else factors[kind] * target
    elsewhere = np.array(draw(matrices(rows, columns, -2, 2)))
    return np.where(inside > 0, similarity, elsewhere).tolist(), target.tolist(), inside.tolist()


def loss_of(similarity: object, target: object, inside: object) -> float:
    floats = [torch.as_tensor(matrix, dtype=torch.float32) for matrix in (similarity, target)]
    return float(alignment_loss(*floats, torch.as_tensor(inside, dtype=torch.bool)))


def is_proportional(found: list[int], wanted: list[int]) -> bool:
    """Whether ``found`` is ``wanted`` times a positive number; exact."""
    pairs = list(zip(found, wanted, strict=True))
    return sum(f * w for f, w in pairs) > 0 and all(f * other == w * another for f, w in pairs for another, other in pairs)


@settings(max_examples=400, deadline=None)
@given(cases())
@example(([[2, 1], [1, 2]], [[2, 1], [1, 2]], [[1, 1], [1, 1]]))
@example(([[2, 2], [1, 1]], [[1, 1], [1, 1]], [[1, 1], [1, 1]]))
@example(([[2, 1], [2, 1]], [[1, 1], [1, 1]], [[1, 1], [1, 1]]))
def test_the_loss_is_zero_if_and_only_if_rows_and_columns_are_proportional_to_the_target(case: tuple[Matrix, Matrix, Matrix]) -> None:
    similarity, target, inside = (np.array(matrix) for matrix in case)
    found, wanted = similarity * inside, target * inside
    lines = [*zip(found.tolist(), wanted.tolist(), strict=True), *zip(found.T.tolist(), wanted.T.tolist(), strict=True)]
    loss = loss_of(*case)
    if all(is_proportional(seen, line) for seen, line in lines if any(line)):
        assert loss == pytest.approx(0, abs=2e-6)
    else:
        assert 1e-4 < loss <= 4 + 1e-5


@settings(deadline=None)
@given(cases(), st.floats(1e-3, 1e3))
def test_the_loss_is_free_of_the_scale_of_plan_and_similarity(case: tuple[Matrix, Matrix, Matrix], scale: float) -> None:
    similarity, target, inside = case
    scaled_target = loss_of(similarity, np.array(target) * scale, inside)
    scaled_similarity = loss_of(np.array(similarity) * scale, target, inside)
    assert loss_of(*case) == pytest.approx(scaled_target, abs=1e-5) == pytest.approx(scaled_similarity, abs=1e-5)


@settings(deadline=None)
@given(cases())
def test_swapping_source_and_target_leaves_the_loss_as_it_is(case: tuple[Matrix, Matrix, Matrix]) -> None:
    assert loss_of(*(np.array(matrix).T for matrix in case)) == pytest.approx(loss_of(*case), abs=1e-6)


def test_the_loss_is_the_two_mean_cosines_by_hand() -> None:
    rows, columns = [2 / np.sqrt(5), 1.0], [1.0, 3 / np.sqrt(10)]
    by_hand = (1 - np.mean(rows)) + (1 - np.mean(columns))
    assert loss_of([[2, 1], [0, 3]], [[1, 0], [0, 1]], [[1, 1], [1, 1]]) == pytest.approx(by_hand, abs=1e-6)


@settings(deadline=None)
@given(cases(), st.data())
def test_a_similarity_outside_the_band_has_no_influence_and_gets_no_gradient(
    case: tuple[Matrix, Matrix, Matrix], data: st.DataObject
) -> None:
    similarity, target, inside = case
    mask = torch.tensor(inside, dtype=torch.bool)
    other = np.where(np.array(inside) > 0, similarity, data.draw(st.integers(-9, 9)))
    assert loss_of(other, target, inside) == loss_of(similarity, target, inside)
    leaf = torch.tensor(similarity, dtype=torch.float32, requires_grad=True)
    alignment_loss(leaf, torch.tensor(target, dtype=torch.float32), mask).backward()
    assert leaf.grad is not None and torch.isfinite(leaf.grad).all()
    assert (leaf.grad[~mask] == 0).all()


def test_a_plan_outside_the_band_does_not_count_either() -> None:
    inside = [[1, 0], [1, 1]]
    assert loss_of([[1, 0], [0, 1]], [[1, 7], [0, 1]], inside) == pytest.approx(0, abs=1e-6)


def test_rows_and_columns_without_target_mass_are_dropped() -> None:
    similarity, target = np.array([[3.0, 1.0], [1.0, 3.0]]), np.array([[3.0, 1.0], [1.0, 2.0]])
    plain = loss_of(similarity, target, np.ones((2, 2)))
    grown = np.zeros((3, 3)), np.zeros((3, 3))
    for matrix, values in zip(grown, (similarity, target), strict=True):
        matrix[:2, :2] = values
    assert loss_of(*grown, np.ones((3, 3))) == pytest.approx(plain, abs=1e-6)
    # A row of its own similarity but no mass counts in the columns alone: there it is mass too much.
    grown[0][2, 2] = 5.0
    assert loss_of(*grown, np.ones((3, 3))) == pytest.approx(plain, abs=1e-6)
    grown[0][2, 1] = 5.0
    assert loss_of(*grown, np.ones((3, 3))) > plain + 0.01


def test_the_plan_gets_no_gradient_but_the_similarity_does() -> None:
    target = torch.tensor([[1.0, 0.5], [0.2, 1.0]], requires_grad=True)
    similarity = torch.tensor([[1.0, 0.1], [0.7, 1.0]], requires_grad=True)
    alignment_loss(similarity, target, torch.ones(2, 2, dtype=torch.bool)).backward()
    assert target.grad is None
    assert similarity.grad is not None and (similarity.grad.abs() > 0).all()


def test_following_the_gradient_reaches_the_target() -> None:
    target = torch.tensor([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.0, 0.2, 0.7]])
    similarity = torch.full((3, 3), 0.5, requires_grad=True)
    optimiser = torch.optim.Adam([similarity], lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        loss = alignment_loss(similarity, target, torch.ones(3, 3, dtype=torch.bool))
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 1e-3
    factor = similarity.detach().sum() / target.sum()
    assert torch.allclose(similarity.detach(), factor * target, atol=0.05)


def taught_loss(student: Student, lesson: Lesson) -> torch.Tensor:
    return lesson_loss(student, lesson, USE, SHORT.rounds)


@pytest.fixture(scope="module")
def taught() -> tuple[Student, list[Epoch]]:
    return distill(small_student(), toy_lessons(1, 24), toy_lessons(2, 6), SHORT.model_copy(update={"epochs": 3}), USE)


def test_training_lowers_the_loss_on_documents_that_it_never_saw(taught: tuple[Student, list[Epoch]]) -> None:
    student, log = taught
    assert not student.model.training
    assert log[-1].held_out_loss < log[0].held_out_loss - 0.02
    assert log[-1].train_loss is not None and log[1].train_loss is not None and log[-1].train_loss < log[1].train_loss
    with torch.no_grad():
        losses = [float(taught_loss(student, lesson)) for lesson in toy_lessons(2, 6)]
    assert np.mean(losses) == pytest.approx(min(epoch.held_out_loss for epoch in log), abs=1e-6)


def test_the_losses_of_the_log_are_means_over_the_lessons() -> None:
    still = SHORT.model_copy(update={"learning_rate": 1e-12})
    student, log = distill(small_student(), toy_lessons(1, 6), toy_lessons(2, 3), still, USE)
    with torch.no_grad():
        train, held_out = ([float(taught_loss(student, lesson)) for lesson in part] for part in (toy_lessons(1, 6), toy_lessons(2, 3)))
    assert len({*train}) > 1
    assert [epoch.train_loss for epoch in log[1:]] == pytest.approx([np.mean(train)] * 2, abs=1e-5)
    assert [epoch.held_out_loss for epoch in log] == pytest.approx([np.mean(held_out)] * 3, abs=1e-5)


@PLANS
def test_both_sides_of_a_lesson_are_taught(plan: str) -> None:
    start = torch.tensor([[1.0, 0.3, 0.1], [0.2, 0.9, 0.4]])
    vectors = {side: (start + number).requires_grad_() for number, side in enumerate(("source", "target"))}
    read: list[tuple[str, list[str]]] = []

    class Reader:
        def encode(self, types: list[str], side: str) -> torch.Tensor:
            read.append((side, types))
            return vectors[side]

    (lesson,) = toy_lessons(1, 1, length=2)
    lesson_loss(cast(Student, Reader()), lesson, AlignConfig.model_validate({"student_plan": plan}), 3).backward()
    assert read == [("source", lesson.source), ("target", lesson.target)]
    assert all(leaf.grad is not None and (leaf.grad != 0).any() for leaf in vectors.values())


def test_the_log_has_a_row_an_epoch_and_keeps_its_contract(taught: tuple[Student, list[Epoch]]) -> None:
    _, log = taught
    table = training_log(log)
    TRAINING_LOG.check(table)
    assert table.to_pylist() == [asdict(epoch) for epoch in log]
    assert [(epoch.epoch, epoch.step) for epoch in log] == [(0, 0), (1, 6), (2, 12), (3, 18)]
    assert log[0].train_loss is None and log[0].best


def test_the_tables_stay_frozen_and_every_other_weight_is_taught() -> None:
    student = small_student()
    before = {name: part.detach().clone() for name, part in (*student.model.named_parameters(), *student.model.named_buffers())}
    distill(student, toy_lessons(1, 4), toy_lessons(2, 1), SHORT, USE)
    after = dict((*student.model.named_parameters(), *student.model.named_buffers()))
    frozen = before.keys() - dict(student.model.named_parameters())
    assert frozen == {f"tables.{side}.{name}" for side in SIDES for name in ("lexicon", "sentence", "phrase", "salience")}
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    taught_loss(student, toy_lessons(3, 1)[0]).backward()
    for name, weight in student.model.named_parameters():
        assert weight.grad is not None and (weight.grad != 0).any(), name
        assert not torch.equal(before[name], after[name]), name


def test_lessons_are_as_they_were_after_training() -> None:
    train = toy_lessons(1, 4)
    distill(small_student(), train, toy_lessons(2, 1), SHORT, USE)
    for lesson, fresh in zip(train, toy_lessons(1, 4), strict=True):
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(lesson.dense(), fresh.dense(), strict=True))


def saved(folder: Path, seed: int) -> bytes:
    torch.rand(seed)  # whatever was drawn before must not matter
    student, _ = distill(small_student(seed), toy_lessons(1, 8), toy_lessons(2, 2), SHORT.model_copy(update={"seed": seed}), USE)
    save_student(student, folder)
    return (folder / "model.safetensors").read_bytes()


def test_two_runs_of_one_seed_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    once = saved(tmp_path / "a", 13)
    assert saved(tmp_path / "b", 13) == once
    assert saved(tmp_path / "c", 14) != once


def test_the_order_of_the_lessons_follows_the_seed_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def order(seed: int) -> list[str]:
        met: list[str] = []
        student = small_student()
        with monkeypatch.context() as patch:
            patch.setattr(module, "lesson_loss", lambda student, lesson, *_: (met.append(lesson.document), taught_loss(student, lesson))[1])
            distill(student, toy_lessons(1, 8), [], SHORT.model_copy(update={"seed": seed}), USE)
        return met

    first = order(13)
    assert order(13) == first and order(14) != first
    assert sorted(first[:8]) == sorted(first[8:]) == [f"d{number}" for number in range(8)]
    assert first[:8] != first[8:]


class Script:
    """Held-out losses as written, and the weights at the time of each."""

    def __init__(self, student: Student, losses: list[float]) -> None:
        self.student = student
        self.losses: Iterator[float] = iter(losses)
        self.weights: list[dict[str, torch.Tensor]] = []

    def __call__(self) -> float:
        self.weights.append(copy.deepcopy(self.student.model.state_dict()))
        return next(self.losses)


@pytest.mark.parametrize(
    ("losses", "best", "rows"),
    [
        ([0.9, 0.8, 0.7, 0.75, 0.7, 0.1], 2, 5),
        ([0.9, 1.0, 1.1, 0.1], 0, 3),
        ([0.9, 1.0, 0.8, 0.85, 0.7, 0.9, 0.6], 6, 7),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], 6, 7),
    ],
)
def test_training_stops_when_patience_ends_and_hands_back_the_best_weights(
    losses: list[float], best: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = small_student()
    script = Script(student, losses)
    monkeypatch.setattr(Training, "_held_out_loss", script)
    student, log = distill(student, toy_lessons(1, 2), toy_lessons(2, 1), SHORT.model_copy(update={"epochs": 6, "patience": 2}), USE)
    assert len(log) == rows and [epoch.held_out_loss for epoch in log] == losses[:rows]
    assert [epoch.epoch for epoch in log if epoch.best][-1] == best
    found = student.model.state_dict()
    same = [number for number, weights in enumerate(script.weights) if all(torch.equal(found[name], weights[name]) for name in found)]
    assert same == [best]


@pytest.mark.parametrize(
    ("lessons", "config", "epochs"),
    [
        (8, DistillConfig(epochs=3, least_steps=0), 3),
        (8, DistillConfig(epochs=3, least_steps=10), 5),
        (9, DistillConfig(epochs=1, least_steps=7), 3),
        (8, DistillConfig(epochs=0, least_steps=50), 0),
    ],
)
def test_a_small_collection_is_repeated_until_it_gave_enough_steps(
    lessons: int, config: DistillConfig, epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = small_student()
    monkeypatch.setattr(Training, "_learn", lambda training, _: setattr(training, "step", training.step + 1))
    monkeypatch.setattr(Training, "_held_out_loss", Script(student, [1 - 0.01 * number for number in range(99)]))
    _, log = distill(student, toy_lessons(1, lessons), [], config.model_copy(update={"crops_a_step": 4}), USE)
    assert log[-1].epoch == epochs


@pytest.mark.parametrize("steps", [1, 2, 5, 9, 10, 11, 12])
def test_any_number_of_steps_can_be_taken(steps: int) -> None:
    _, log = distill(
        small_student(), toy_lessons(1, 1, length=3), toy_lessons(2, 1), SHORT.model_copy(update={"epochs": steps, "patience": 99}), USE
    )
    assert log[-1].step == steps and log[-1].learning_rate < 5e-3


@pytest.mark.parametrize("bad", [{"held_out": 0}, {"held_out": 1}, {"crop": 1}, {"rounds": 0}, {"learning_rate": 0}, {"lesons": 3}])
def test_settings_out_of_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DistillConfig.model_validate(bad)


def test_a_crop_without_target_mass_costs_nothing_and_moves_nothing() -> None:
    similarity = torch.ones(2, 3, requires_grad=True)
    loss = alignment_loss(similarity, torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0
    assert similarity.grad is not None and not similarity.grad.any()


def cosines(rows: int, columns: int, seed: int) -> torch.Tensor:
    one, other = (np.random.default_rng(seed + side).standard_normal((size, 4)) for side, size in enumerate((rows, columns)))
    return torch.from_numpy((one / np.linalg.norm(one, axis=1)[:, None]) @ (other / np.linalg.norm(other, axis=1)[:, None]).T).float()


def test_what_is_taught_is_the_plan_that_align_makes_of_the_same_vectors() -> None:
    student, source, target = small_student(), grid("tos fiebre dolor " * 4), grid("cough fever and pain " * 4)
    config = AlignConfig(band=BandConfig(full=2, zero=9), prior=0.3, sharpen=SharpenConfig(reg=0.1, iterations=60))
    plan, band = align_document(source, target, student, config)
    nearness = prior(band, scaled_diagonal(band.rows, band.columns), config.band)
    cosine = torch.from_numpy(vectors(student, source.types) @ vectors(student, target.types, "target").T)
    wanted, near, inside = (torch.from_numpy(band.dense(values)).float() for values in (plan.values, nearness, np.ones(band.cells)))
    found = transported(cosine, near, inside > 0, wanted, config, rounds=60)
    assert found.numpy() == pytest.approx(wanted.numpy(), abs=1e-5)
    assert transported(cosine, near, inside > 0, wanted, config, rounds=1).numpy() != pytest.approx(wanted.numpy(), abs=1e-3)


@given(st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_the_taught_plan_has_the_marginals_of_its_target(seed: int) -> None:
    target = torch.from_numpy(np.random.default_rng(seed).uniform(0.1, 1, (5, 7))).float()
    everywhere = torch.ones(5, 7, dtype=torch.bool)
    found = transported(cosines(5, 7, seed), torch.ones(5, 7), everywhere, target, AlignConfig(sharpen=SharpenConfig(reg=0.2)), 100)
    assert torch.allclose(found.sum(dim=0), target.sum(dim=0), rtol=1e-4)
    assert torch.allclose(found.sum(dim=1), target.sum(dim=1), rtol=1e-2)


def test_rows_and_columns_out_of_the_band_or_without_mass_get_a_plan_of_zeros_and_a_finite_gradient() -> None:
    target = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
    inside = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 1, 0]]) > 0
    inside[1] = False
    leaf = cosines(3, 3, 1).requires_grad_()
    found = transported(leaf, torch.ones(3, 3), inside, target, AlignConfig(), 4)
    alignment_loss(found, target, inside).backward()
    assert (found[1] == 0).all() and (found[:, 2] == 0).all() and torch.isfinite(found).all()
    assert leaf.grad is not None and torch.isfinite(leaf.grad).all() and leaf.grad[0, 0] != 0


@PLANS
def test_a_student_is_taught_for_the_use_that_will_be_made_of_it(plan: str) -> None:
    use = AlignConfig.model_validate({"student_plan": plan})
    lesson = toy_lessons(2, 1)[0]
    student, log = distill(small_student(), toy_lessons(1, 8), [lesson], SHORT, use)
    with torch.no_grad():
        assert float(lesson_loss(student, lesson, use, SHORT.rounds)) == pytest.approx(min(row.held_out_loss for row in log), abs=1e-6)
        cosine = student.encode(lesson.source, "source") @ student.encode(lesson.target, "target").T
    plain = float(alignment_loss(cosine, lesson.dense()[0], lesson.dense()[2]))
    assert (plain == pytest.approx(min(row.held_out_loss for row in log), abs=1e-6)) == (plan == "cosine")
