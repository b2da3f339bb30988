import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline_lib.alignment.cost import CostConfig, ViewWeights, document_cost
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.student import Student, StudentConfig, excerpt, load_student, new_student, save_student, save_weights
from pipeline_lib.alignment.views import typed
from tests.pipeline_lib.alignment.pupils import DICTIONARY, other_way, small_student, teachers, types, vectors

pytestmark = pytest.mark.usefixtures("one_thread")

SOURCE, TARGET = types(list(DICTIONARY)), types(list(DICTIONARY.values()))
LONE_ACCENT = "\u0301"  # a unit of its own after a space
ODD = [
    "nuncavisto",
    "\u75c7\u72b6",
    "a" * 300,
    LONE_ACCENT,
    "\u00b4",
    "\u00ad",
    "\ufeff",
    "\U0001f600",
    "3.14159",
    "\u00bd",
    "[UNK]",
]
WIDE = StudentConfig(spelling=4096, lexicon=4096, neighbour=1024, hidden=16)
UNEQUAL = ViewWeights(characters=0.3, lexical=4.0, sentence=0.5, phrase=2.0, pooled_sentence=0.2, pooled_phrase=0.1)
ALONE = [name for name in ViewWeights.model_fields if name != "prior"]


@pytest.fixture(scope="module")
def student() -> Student:
    return small_student()


@pytest.fixture(scope="module")
def saved(student: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    save_student(student, folder)
    return folder


def test_translations_are_nearest_before_any_training(student: Student) -> None:
    similarity = vectors(student, SOURCE) @ vectors(student, TARGET, "target").T
    assert [TARGET[column] for column in similarity.argmax(axis=1)] == TARGET
    assert [SOURCE[row] for row in similarity.argmax(axis=0)] == SOURCE


@pytest.mark.parametrize(
    "weights",
    [ViewWeights(), UNEQUAL, *(ViewWeights(**{**dict.fromkeys(ALONE, 0.0), name: 1.0}) for name in ALONE)],
    ids=lambda weights: "+".join(name for name, weight in weights.model_dump().items() if weight),
)
def test_a_wide_untrained_student_has_the_similarities_of_the_alignment_target(weights: ViewWeights) -> None:
    fitted, cost = teachers(DICTIONARY), CostConfig(weights=weights, context=0.4, sentence_window=2, phrase_window=1)
    words = [list(DICTIONARY)[number] for number in np.random.default_rng(3).integers(0, len(DICTIONARY), 30)]
    source, target = types(words), types([DICTIONARY[word] for word in words])
    wide = new_student(fitted, WIDE, cost)
    whole = Groups(np.array([[0, len(source)]], np.int32), np.array([[0, len(target)]], np.int32), sliced=False)
    costs, band, _ = document_cost(typed(source, fitted.source), typed(target, fitted.target), whole, fitted, cost)
    wanted = weights.total * (1.0 - band.dense(costs)) - weights.prior
    cosine = vectors(wide, source) @ vectors(wide, target, "target").T
    # Away from the ends: there the target averages fewer neighbours.
    ours, theirs = cosine[2:-2, 2:-2], wanted[2:-2, 2:-2]
    met = theirs > -weights.prior / 2  # a cost has no room for less than no similarity at all
    slope = (ours * theirs)[met].sum() / (theirs * theirs)[met].sum()
    assert slope == pytest.approx(1 / theirs.max(), rel=0.3)
    # Words of two letters have three n-grams: where spelling is all, one collision is much.
    assert ours[met] == pytest.approx(slope * theirs[met], abs=0.05 if weights.lexical or not weights.characters else 0.12)
    assert np.corrcoef(ours[met], theirs[met])[0, 1] > 0.97


def test_types_that_share_letters_are_near_though_unseen(student: Student) -> None:
    known, near, far = (vectors(student, [word])[0] for word in ("hepatologia", "hepatologie", "zumbido"))
    assert known @ near > known @ far + 0.2
    assert known @ vectors(student, ["hepatologie"], "target")[0] == pytest.approx(known @ near, abs=1e-6)


@pytest.mark.parametrize("unit", ODD, ids=ascii)
def test_every_unit_gets_a_vector_of_unit_length_alone_and_in_context(unit: str, student: Student) -> None:
    for text in ([unit], ["fiebre", unit, "."], [unit, unit]):
        found = vectors(student, text)
        assert found.shape == (len(text), student.model.width)
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(text)), abs=1e-5)


def test_a_text_is_read_alone_and_repeated_types_differ_by_their_context(student: Student) -> None:
    found = vectors(student, ["tos", "fiebre", "dolor", "fiebre", "asma"])
    assert found[1] @ found[3] > 0.5 and not np.allclose(found[1], found[3], atol=1e-3)
    assert np.array_equal(vectors(student, ["fiebre"] * 5)[2], vectors(student, ["fiebre"] * 5)[2])


def test_swapping_source_and_target_transposes_the_cosine(student: Student) -> None:
    one, other = types(["Fiebre", "y", "tos", "."]), types(["Cough", "with", "fever"])
    forward = vectors(student, one) @ vectors(student, other, "target").T
    back = other_way(student)
    assert np.allclose(forward, (vectors(back, other) @ vectors(back, one, "target").T).T, atol=1e-6)


def test_a_word_of_both_languages_has_the_meaning_of_the_side_it_stands_on() -> None:
    fitted = teachers({"fiebre": "fever", "tos": "cough", "no": "nope", "pain": "no"})
    wide = new_student(fitted, WIDE, CostConfig())
    similarity = vectors(wide, ["no"]) @ np.stack([vectors(wide, [word], "target")[0] for word in ("nope", "no")]).T
    other = vectors(wide, ["pain"]) @ np.stack([vectors(wide, [word], "target")[0] for word in ("nope", "no")]).T
    assert similarity[0, 0] > 0.7 and other[0, 1] > 0.7 and other[0, 0] < 0.4


def test_the_folder_is_a_hugging_face_model_without_pickles_or_code(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert names == {"config.json", "model.safetensors", "tables.safetensors", "vocabulary.source.txt", "vocabulary.target.txt"}
    settings = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    assert settings["model_type"] == "spanferry-student" and "auto_map" not in settings


def test_a_saved_student_is_read_back_as_it_was(student: Student, saved: Path) -> None:
    back = load_student(saved)
    assert not back.model.training
    assert back.numbers == student.numbers
    for text in (SOURCE, ODD, TARGET[:1]):
        for side in ("source", "target"):
            assert np.array_equal(vectors(back, text, side), vectors(student, text, side))


def test_any_type_survives_the_folder(student: Student, tmp_path: Path) -> None:
    odd = {kind: number for number, kind in enumerate(("\u2028", "\x85", "\x0b", "\u75c7", "'", '"', "#", " "))}
    save_student(Student(student.model, {"source": odd, "target": {}}), tmp_path)
    back = load_student(tmp_path)
    assert list(back.numbers["source"].items()) == list(odd.items()) and back.numbers["target"] == {}


def test_a_folder_whose_weights_are_a_pickle_is_refused(student: Student, saved: Path, tmp_path: Path) -> None:
    for path in saved.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save(student.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        load_student(tmp_path)


def test_an_excerpt_has_the_vectors_of_the_whole_for_its_types(student: Student) -> None:
    part = excerpt(student, {"source": {*SOURCE[3:9], "nuncavisto"}, "target": {*TARGET[:4]}})
    assert {side: set(numbers) for side, numbers in part.numbers.items()} == {"source": {*SOURCE[3:9]}, "target": {*TARGET[:4]}}
    assert len(part.model.known("source").get_buffer("sentence")) == 6 + 1
    for text, side in (([*SOURCE[8:2:-1], "nuncavisto"], "source"), (TARGET[:4], "target")):
        assert np.array_equal(vectors(part, text, side), vectors(student, text, side))


def test_what_an_excerpt_has_learnt_the_whole_knows(tmp_path: Path) -> None:
    whole, words = small_student(), {"source": {*SOURCE[:6]}, "target": {*TARGET[:6]}}
    save_student(whole, tmp_path)
    part = excerpt(whole, words)
    with torch.no_grad():
        for weight in part.model.parameters():
            weight += 0.1
    save_weights(part, tmp_path)
    assert not np.allclose(vectors(whole, SOURCE[:6]), vectors(part, SOURCE[:6]))
    assert np.array_equal(vectors(load_student(tmp_path), SOURCE[:6]), vectors(part, SOURCE[:6]))
    assert load_student(tmp_path).numbers == whole.numbers


def test_the_same_teachers_and_seed_give_the_same_student(student: Student) -> None:
    torch.rand(3)
    again, other = small_student(), small_student(seed=14)
    ours, theirs = student.model.state_dict(), again.model.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not np.array_equal(vectors(student, SOURCE), vectors(other, SOURCE))


@pytest.mark.parametrize("bad", [{"hidden": 4}, {"layers": -1}, {"spelling": 1}, {"width": 64}])
def test_settings_out_of_range_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        StudentConfig.model_validate(bad)


STAGGERED = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pipeline_lib.alignment.student import load_student

def ask(number):
    time.sleep(0.3 * number)
    try:
        load_student(Path(sys.argv[1]))
    except OSError:
        return "no student there"

with ThreadPoolExecutor(6) as threads:
    print(set(threads.map(ask, range(6))))
"""


def test_threads_may_ask_for_a_student_while_its_code_is_imported(tmp_path: Path) -> None:
    """In a process of its own: here it is imported already."""
    asked = subprocess.run([sys.executable, "-c", STAGGERED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert asked.stdout == "{'no student there'}\n", asked.stderr
