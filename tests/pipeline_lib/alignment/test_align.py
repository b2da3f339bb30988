import numpy as np
import pytest
from pydantic import ValidationError

from data_contracts.alignment import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig, align_document, align_tables
from pipeline_lib.alignment.band import Band, BandConfig, Floats
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.sinkhorn import Plan, SharpenConfig
from pipeline_lib.alignment.student import Student, new_student
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.samples import marked
from tests.pipeline_lib.alignment.pupils import DICTIONARY, SMALL, grid, other_way, small_student, teachers, vectors

pytestmark = pytest.mark.usefixtures("one_thread")

BALANCED = SharpenConfig(reg=0.03, iterations=100, marginal_power=1.0)
COSINE, TRANSPORT = AlignConfig(student_plan="cosine"), AlignConfig(student_plan="transport")
ES, EN = "Fiebre. Tos 2,5 y dolor.", "Fever. Cough 2.5 pain"
CASE = parse_marks(marked("case-01", "es"))[0]


@pytest.fixture(scope="module")
def student() -> Student:
    return small_student()


@pytest.fixture(scope="module")
def reader() -> Student:
    """A student that has met every type of ``CASE``."""
    met = sorted({*grid(CASE).types})
    return new_student(teachers(dict(zip(met, met, strict=True))), SMALL, CostConfig())


def dense(aligned: tuple[Plan, Band]) -> Floats:
    plan, band = aligned
    return band.dense(plan.values)


@pytest.mark.parametrize("config", [COSINE, TRANSPORT], ids=["cosine", "transport"])
def test_the_same_text_on_both_sides_aligns_with_itself(config: AlignConfig, reader: Student) -> None:
    text = grid(CASE)
    assert len(text.starts) > 100
    found = dense(align_document(text, text, reader, config))
    kinds = np.array(text.types)
    once = [unit for unit, kind in enumerate(text.types) if text.types.count(kind) == 1]
    assert len(once) > 50
    for matrix in (found, found.T):
        assert (kinds[matrix.argmax(axis=1)] == kinds).all()
        assert (matrix.argmax(axis=1)[once] == once).all()
        assert (matrix.diagonal() > 0.1 * matrix.max(axis=1)).all()


def test_with_a_prior_that_decays_at_once_each_occurrence_of_a_word_meets_itself(reader: Student) -> None:
    text = grid(CASE)
    assert len({*text.types}) < len(text.types)
    config = AlignConfig(band=BandConfig(full=0, zero=100), prior=2.0)
    found = dense(align_document(text, text, reader, config))
    own = np.arange(len(text.starts))
    assert (found.argmax(axis=1) == own).all() and (found.argmax(axis=0) == own).all()


def test_a_repeated_word_meets_the_nearest_occurrence(student: Student) -> None:
    source, target = grid("tos fiebre " * 3), grid("cough fever " * 3)
    config = AlignConfig(band=BandConfig(full=0, zero=6), prior=1.0)
    assert dense(align_document(source, target, student, config)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5]


def test_translations_are_found(student: Student) -> None:
    words = list(DICTIONARY)[8:20]
    source, target = grid(" ".join(words)), grid(" ".join(DICTIONARY[word] for word in reversed(words)))
    for config in (COSINE, TRANSPORT):
        assert dense(align_document(source, target, student, config)).argmax(axis=1).tolist() == list(range(11, -1, -1))


def test_the_cosine_plan_is_the_cosine_of_the_vectors_without_what_is_negative(student: Student) -> None:
    source, target = grid(ES), grid(EN)
    plan, band = align_document(source, target, student, COSINE)
    cosine = vectors(student, source.types) @ vectors(student, target.types, "target").T
    assert (cosine < 0).any()
    assert band.rows * band.dense(plan.values) == pytest.approx(np.maximum(cosine, 0), abs=1e-6)


def test_swapping_source_and_target_transposes_the_cosine(student: Student) -> None:
    source, target = grid(ES), grid(EN)
    n, m = len(source.starts), len(target.starts)
    assert n != m
    there, back = align_document(source, target, student, COSINE), align_document(target, source, other_way(student), COSINE)
    assert n * dense(there) == pytest.approx(m * dense(back).T, abs=1e-6)


def test_the_transport_plan_shares_the_mass_out_evenly(student: Student) -> None:
    source, target = grid(ES), grid(EN)
    plan, band = align_document(source, target, student, AlignConfig(sharpen=BALANCED))
    found = band.dense(plan.values)
    assert found.sum(axis=1) == pytest.approx(np.full(len(source.starts), 1 / len(source.starts)))
    assert found.sum(axis=0) == pytest.approx(np.full(len(target.starts), 1 / len(target.starts)), rel=0.05)
    assert plan.row_residual < 1e-9


def test_the_cosine_plan_leaves_the_mass_where_it_is(student: Student) -> None:
    plan, _ = align_document(grid(ES), grid(EN), student, COSINE)
    assert plan.row_residual > 0.01


def test_a_smaller_reg_is_sharper(student: Student) -> None:
    soft, sharp = (
        dense(align_document(grid(ES), grid(EN), student, AlignConfig(sharpen=BALANCED.model_copy(update={"reg": reg})))).max(axis=1).mean()
        for reg in (0.5, 0.02)
    )
    assert sharp > 1.5 * soft


@pytest.mark.parametrize("config", [COSINE, TRANSPORT], ids=["cosine", "transport"])
def test_nothing_lies_outside_the_band(config: AlignConfig, student: Student) -> None:
    source, target = grid("tos " * 40), grid("cough " * 20)
    narrow = config.model_copy(update={"band": BandConfig(full=1, zero=3)})
    plan, band = align_document(source, target, student, narrow)
    rows, columns = band.row_of_cell(), band.column_of_cell()
    assert (np.abs((rows + 0.5) * 20 / 40 - 0.5 - columns) < 3).all()
    assert band.cells < 40 * 20 / 3 and plan.values.shape == (band.cells,) and (plan.values >= 0).all()


@pytest.mark.parametrize("config", [COSINE, TRANSPORT], ids=["cosine", "transport"])
@pytest.mark.parametrize(("source", "target"), [("tos", "cough"), ("tos", "a dry cough ."), ("tos seca .", "cough"), ("\u0301", "\u0301")])
def test_the_smallest_texts_align(source: str, target: str, config: AlignConfig, student: Student) -> None:
    plan, band = align_document(grid(source), grid(target), student, config)
    assert band.cells == len(grid(source).starts) * len(grid(target).starts)
    assert np.isfinite(plan.values).all() and plan.values.sum() > 0


def test_documents_of_both_sides_are_aligned_in_parts_that_keep_the_contract(student: Student) -> None:
    source = {name: grid(ES) for name in "abcde"} | {"only here": grid(ES)}
    target = {"only there": grid(EN)} | {name: grid(EN) for name in "edcba"}
    parts = list(align_tables(source, target, ("es", "en"), {}, student, TRANSPORT, at_once=2))
    for part in parts:
        ALIGNMENTS.check(part)
    assert [part["document"].to_pylist() for part in parts] == [["a", "b"], ["c", "d"], ["e"]]
    row = parts[0].to_pylist()[0]
    assert (row["source_lang"], row["target_lang"]) == ("es", "en")
    plan, band = align_document(source["a"], target["a"], student, TRANSPORT)
    assert row["plan"] == pytest.approx(band.rows * plan.values, rel=1e-5)
    assert Band.from_row(row).as_row().keys() == band.as_row().keys() and row["low"] == band.low.tolist()


def test_without_a_common_document_there_is_one_empty_part(student: Student) -> None:
    (part,) = align_tables({"a": grid(ES)}, {"b": grid(EN)}, ("es", "en"), {}, student, TRANSPORT)
    ALIGNMENTS.check(part)
    assert part.num_rows == 0


@pytest.mark.parametrize("bad", [{"student_plan": "softmax"}, {"prior": -1}, {"bands": {}}])
def test_settings_out_of_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AlignConfig.model_validate(bad)
