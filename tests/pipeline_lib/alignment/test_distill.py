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

from data_contracts.alignment import TRAINING_LOG, TRANSPORT_PLANS
from pipeline_lib.alignment import distill as module
from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.distill import (
    DistillConfig,
    Epoch,
    Lesson,
    alignment_loss,
    distill,
    lessons,
    plan_lessons,
    split_documents,
    training_log,
)
from pipeline_lib.alignment.sinkhorn import plan_columns, plan_of
from pipeline_lib.alignment.student import Student, save_student
from tests.pipeline_lib.alignment.pupils import grid, small_student, toy_lessons

pytestmark = pytest.mark.usefixtures("one_thread")

Matrix = list[list[int]]
SHORT = DistillConfig(epochs=2, least_steps=0, learning_rate=5e-3)


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


@st.composite
def bands(draw: st.DrawFn) -> Band:
    columns = draw(st.integers(1, 12))
    ends = draw(st.lists(st.tuples(st.integers(0, columns), st.integers(0, columns)), min_size=1, max_size=20))
    low, high = np.array([min(pair) for pair in ends]), np.array([max(pair) for pair in ends])
    return Band(low.astype(np.int32), high.astype(np.int32), columns)


@settings(deadline=None)
@given(bands(), st.integers(1, 25))
def test_crops_cover_every_cell_of_the_band_once_and_no_other(band: Band, crop: int) -> None:
    source, target = [f"s{i}" for i in range(band.rows)], [f"t{j}" for j in range(band.columns)]
    plan = np.arange(1, band.cells + 1, dtype=np.float32)
    times, values = np.zeros((band.rows, band.columns)), np.zeros((band.rows, band.columns))
    for lesson in lessons("d", source, target, band, plan, crop):
        rows, columns = [source.index(kind) for kind in lesson.source_types], [target.index(kind) for kind in lesson.target_types]
        assert lesson.document == "d" and 0 < len(rows) <= crop
        assert lesson.target.shape == lesson.inside.shape == (len(rows), len(columns))
        assert (lesson.target[~lesson.inside] == 0).all()
        times[np.ix_(rows, columns)] += lesson.inside.numpy()
        values[np.ix_(rows, columns)] += lesson.target.numpy()
    assert np.array_equal(times, band.dense(np.ones(band.cells)))
    assert np.array_equal(values, band.dense(plan))


@settings(deadline=None)
@given(st.sets(st.text(max_size=5), min_size=1, max_size=40), st.integers(1, 45), st.floats(0.01, 0.5))
def test_documents_are_split_by_their_ids_alone(names: set[str], most: int, share: float) -> None:
    config = DistillConfig(documents=most, held_out=share)
    train, held_out = split_documents(sorted(names), config)
    assert split_documents(sorted(names, reverse=True), config) == (train, held_out)
    assert {*train, *held_out} <= names and len({*train, *held_out}) == min(most, len(names))
    assert train and held_out
    if len(names) > 1 and most > 1:
        assert not {*train} & {*held_out} and len(held_out) == max(1, round(share * min(most, len(names))))
    else:
        assert train == held_out


def test_a_document_more_seldom_moves_another_one() -> None:
    config = DistillConfig(documents=1000)
    names = [f"case-{number:03}" for number in range(100)]
    before, after = split_documents(names[:-1], config)[1], split_documents(names, config)[1]
    assert len({*before} ^ {*after}) <= 2


def plan_row(document: str, source: int, target: int) -> dict[str, object]:
    band = Band(np.zeros(source, dtype=np.int32), np.full(source, target, dtype=np.int32), target)
    values = np.arange(source * target, dtype=np.float64) / source
    return {"document": document, "source_lang": "es", "target_lang": "en"} | plan_columns(plan_of(values, band), band)


def test_the_wanted_plans_become_lessons_of_the_folded_types() -> None:
    source = {"a": grid("Fiebre alta"), "b": grid("Tos"), "c": grid("Úlcera")}
    target = {"a": grid("High fever now"), "b": grid("Cough"), "c": grid("Ulcer")}
    parts = [TRANSPORT_PLANS.table([plan_row("a", 2, 3), plan_row("b", 1, 1)]), TRANSPORT_PLANS.table([plan_row("c", 1, 1)])]
    found = plan_lessons(parts, source, target, {"a", "c"}, 384)
    assert list(found) == ["a", "c"]
    (lesson,) = found["a"]
    assert (lesson.source_types, lesson.target_types) == (["fiebre", "alta"], ["high", "fever", "now"])
    assert lesson.target.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["c"][0].source_types == ["ulcera"]
    assert [len(lesson.source_types) for lesson in plan_lessons(parts, source, target, {"a"}, 1)["a"]] == [1, 1]


@pytest.fixture(scope="module")
def taught() -> tuple[Student, list[Epoch]]:
    return distill(small_student(), toy_lessons(1, 24), toy_lessons(2, 6), SHORT.model_copy(update={"epochs": 3}))


def test_training_lowers_the_loss_on_documents_that_it_never_saw(taught: tuple[Student, list[Epoch]]) -> None:
    student, log = taught
    assert not student.model.training
    assert log[-1].held_out_loss < log[0].held_out_loss - 0.02
    assert log[-1].train_loss is not None and log[1].train_loss is not None and log[-1].train_loss < log[1].train_loss
    assert module._mean_loss(student, toy_lessons(2, 6)) == pytest.approx(min(epoch.held_out_loss for epoch in log), abs=1e-6)


def test_the_losses_of_the_log_are_means_over_the_lessons() -> None:
    still = SHORT.model_copy(update={"learning_rate": 1e-12})
    student, log = distill(small_student(), toy_lessons(1, 6), toy_lessons(2, 3), still)
    with torch.no_grad():
        train, held_out = (
            [float(module._lesson_loss(student, lesson)) for lesson in part] for part in (toy_lessons(1, 6), toy_lessons(2, 3))
        )
    assert len({*train}) > 1
    assert [epoch.train_loss for epoch in log[1:]] == pytest.approx([np.mean(train)] * 2, abs=1e-5)
    assert [epoch.held_out_loss for epoch in log] == pytest.approx([np.mean(held_out)] * 3, abs=1e-5)


def test_both_sides_of_a_lesson_are_taught() -> None:
    vectors = {side: torch.eye(2).add(0.3).requires_grad_() for side in ("s", "t")}

    class Reader:
        def encode(self, types: list[str]) -> torch.Tensor:
            return vectors[types[0]]

    lesson = Lesson("d", ["s", "x"], ["t", "y"], torch.eye(2), torch.ones(2, 2, dtype=torch.bool))
    module._lesson_loss(cast(Student, Reader()), lesson).backward()
    assert all(leaf.grad is not None and (leaf.grad != 0).any() for leaf in vectors.values())


def test_the_log_has_a_row_an_epoch_and_keeps_its_contract(taught: tuple[Student, list[Epoch]]) -> None:
    _, log = taught
    table = training_log(log)
    TRAINING_LOG.check(table)
    assert table.to_pylist() == [asdict(epoch) for epoch in log]
    assert [(epoch.epoch, epoch.step) for epoch in log] == [(0, 0), (1, 6), (2, 12), (3, 18)]
    assert log[0].train_loss is None and log[0].best


def test_the_embeddings_stay_frozen_and_every_other_weight_is_taught() -> None:
    student = small_student()
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    distill(student, toy_lessons(1, 4), toy_lessons(2, 1), SHORT)
    after = student.model.state_dict()
    frozen = [name for name, weight in student.model.named_parameters() if not weight.requires_grad]
    assert frozen == ["embeddings.tok_embeddings.weight"]
    assert torch.equal(before[frozen[0]], after[frozen[0]])
    module._lesson_loss(student, toy_lessons(3, 1)[0]).backward()
    for name, weight in student.model.named_parameters():
        if name in frozen:
            assert weight.grad is None
        else:
            assert weight.grad is not None and (weight.grad != 0).any(), name
            assert not torch.equal(before[name], after[name]), name


def test_lessons_are_as_they_were_after_training() -> None:
    train = toy_lessons(1, 4)
    distill(small_student(), train, toy_lessons(2, 1), SHORT)
    for lesson, fresh in zip(train, toy_lessons(1, 4), strict=True):
        assert torch.equal(lesson.target, fresh.target) and torch.equal(lesson.inside, fresh.inside)


def saved(folder: Path, seed: int) -> bytes:
    torch.rand(seed)  # whatever was drawn before must not matter
    student, _ = distill(small_student(seed), toy_lessons(1, 8), toy_lessons(2, 2), SHORT.model_copy(update={"seed": seed}))
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
        taught = module._lesson_loss
        with monkeypatch.context() as patch:
            patch.setattr(module, "_lesson_loss", lambda student, lesson: (met.append(lesson.document), taught(student, lesson))[1])
            distill(student, toy_lessons(1, 8), [], SHORT.model_copy(update={"seed": seed}))
        return met

    first = order(13)
    assert order(13) == first and order(14) != first
    assert sorted(first[:8]) == sorted(first[8:]) == [f"d{number}" for number in range(8)]
    assert first[:8] != first[8:]


class Script:
    """Held-out losses as written, and the weights at the time of each."""

    def __init__(self, losses: list[float]) -> None:
        self.losses: Iterator[float] = iter(losses)
        self.weights: list[dict[str, torch.Tensor]] = []

    def __call__(self, student: Student, held_out: list[Lesson]) -> float:
        self.weights.append(copy.deepcopy(student.model.state_dict()))
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
    script = Script(losses)
    monkeypatch.setattr(module, "_mean_loss", script)
    student, log = distill(small_student(), toy_lessons(1, 2), toy_lessons(2, 1), SHORT.model_copy(update={"epochs": 6, "patience": 2}))
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
    monkeypatch.setattr(module, "_train_epoch", lambda student, train, optimiser, schedule, config: 0.5)
    monkeypatch.setattr(module, "_mean_loss", Script([1 - 0.01 * number for number in range(99)]))
    _, log = distill(small_student(), toy_lessons(1, lessons), [], config)
    assert log[-1].epoch == epochs


@pytest.mark.parametrize("steps", [1, 2, 5, 9, 10, 11, 12])
def test_any_number_of_steps_can_be_taken(steps: int) -> None:
    _, log = distill(
        small_student(), toy_lessons(1, 1, length=3), toy_lessons(2, 1), SHORT.model_copy(update={"epochs": steps, "patience": 99})
    )
    assert log[-1].step == steps and log[-1].learning_rate < 5e-3


@pytest.mark.parametrize("bad", [{"held_out": 0}, {"held_out": 1}, {"crop": 1}, {"learning_rate": 0}, {"lesons": 3}])
def test_settings_out_of_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DistillConfig.model_validate(bad)


def test_a_crop_without_target_mass_costs_nothing_and_moves_nothing() -> None:
    similarity = torch.ones(2, 3, requires_grad=True)
    loss = alignment_loss(similarity, torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0
    assert similarity.grad is not None and not similarity.grad.any()
