import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModel, AutoTokenizer

from pipeline_lib.alignment.student import Student, StudentConfig, load_student, new_student, save_student
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.samples import LANGUAGES, documents, marked
from tests.pipeline_lib.alignment.pupils import DICTIONARY, SMALL, grid, small_student, teachers, types, vectors

pytestmark = pytest.mark.usefixtures("one_thread")

SOURCE, TARGET = types(list(DICTIONARY)), types(list(DICTIONARY.values()))
LONE_ACCENT = "\u0301"  # a unit of its own after a space; nothing is left of it once accents are dropped
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
    "##s",
    "[UNK]",
]


@pytest.fixture(scope="module")
def student() -> Student:
    return small_student()


@pytest.fixture(scope="module")
def saved(student: Student, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    save_student(student, folder)
    return folder


def test_translations_are_nearest_before_any_training(student: Student) -> None:
    similarity = vectors(student, SOURCE) @ vectors(student, TARGET).T
    assert [TARGET[column] for column in similarity.argmax(axis=1)] == TARGET
    assert [SOURCE[row] for row in similarity.argmax(axis=0)] == SOURCE


def test_a_wide_student_starts_with_the_similarities_of_the_teachers() -> None:
    """Sentence and phrase vectors are taken over; spelling and lexicon add up to random projections, exact in the mean."""
    fitted = teachers(DICTIONARY, dimensions=32)
    wide = vectors(new_student(fitted, SMALL.model_copy(update={"hidden": 256})), [*fitted.source.types, *fitted.target.types])
    ours = wide[: len(SOURCE)] @ wide[len(SOURCE) :].T
    views = fitted.sentence_source @ fitted.sentence_target.T + fitted.phrase_source @ fitted.phrase_target.T
    views = views + fitted.lexical.toarray()
    assert np.corrcoef(ours.ravel(), views.ravel())[0, 1] > 0.9


def test_types_that_share_letters_are_near_though_unseen(student: Student) -> None:
    known, near, far = vectors(student, ["hepatologia", "hepatologie", "zumbido"])
    assert known @ near > known @ far + 0.2


def test_context_does_not_matter_before_any_training(student: Student) -> None:
    alone = vectors(student, ["fiebre"])[0]
    assert np.allclose(vectors(student, ["dolor", "fiebre", "."])[1], alone, atol=1e-5)


@pytest.mark.parametrize("unit", ODD, ids=ascii)
def test_every_unit_gets_a_vector_of_unit_length_alone_and_in_context(unit: str, student: Student) -> None:
    for text in ([unit], ["fiebre", unit, "."], [unit, unit]):
        found = vectors(student, text)
        assert found.shape == (len(text), SMALL.hidden)
        assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(len(text)), abs=1e-5)


def test_a_unit_that_the_normaliser_empties_leaves_its_neighbours_their_places(student: Student) -> None:
    found, plain = vectors(student, ["fiebre", LONE_ACCENT, "tos"]), vectors(student, ["fiebre", "tos"])
    assert np.allclose(found[[0, 2]], plain, atol=1e-5)


def test_a_unit_of_several_pieces_is_their_mean(student: Student) -> None:
    kind = "fiebretos"
    tokens = student.tokenizer([kind], is_split_into_words=True, add_special_tokens=False)
    assert len(tokens.tokens()) > 1
    with torch.no_grad():
        hidden = student.model(input_ids=torch.tensor([tokens["input_ids"]])).last_hidden_state[0]
    mean = torch.nn.functional.normalize(hidden.mean(dim=0), dim=0).numpy()
    assert np.allclose(vectors(student, [kind])[0], mean, atol=1e-5)


def test_swapping_source_and_target_transposes_the_cosine(student: Student) -> None:
    one, other = types(["Fiebre", "y", "tos", "."]), types(["Cough", "with", "fever"])
    forward, backward = vectors(student, one) @ vectors(student, other).T, vectors(student, other) @ vectors(student, one).T
    assert np.allclose(forward, backward.T, atol=1e-6)


def test_the_tokenizer_folds_words_as_the_units_do(student: Student) -> None:
    for raw, folded in (("FIEBRE", "fiebre"), ("Hígado", "higado"), ("2,5", "2.5"), ("H\u00cdGADO", "higado")):
        assert grid(raw).types == [folded]
        assert student.tokenizer.tokenize(raw) == [folded]
    assert student.tokenizer.tokenize("Tos,2,5 (asma).")[0] == "tos"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_type_of_the_bundled_corpus_is_one_piece(lang: str) -> None:
    met = sorted({kind for document in documents() for kind in grid(parse_marks(marked(document, lang))[0]).types})
    tokenizer = new_student(teachers(dict(zip(met, met, strict=True))), SMALL).tokenizer
    pieces = tokenizer(met, is_split_into_words=True, add_special_tokens=False)
    assert len(met) > 500 and pieces.tokens() == met


def test_the_folder_is_a_hugging_face_model_without_pickles(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert {Path(name).suffix for name in names} == {".json", ".safetensors"}
    settings = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    assert settings["model_type"] == "modernbert" and "auto_map" not in settings


def test_the_folder_loads_without_our_code_and_gives_the_same_vectors(student: Student, saved: Path) -> None:
    model, tokenizer = AutoModel.from_pretrained(saved, local_files_only=True), AutoTokenizer.from_pretrained(saved, local_files_only=True)
    assert type(model).__module__.startswith("transformers.") and type(tokenizer).__module__.startswith("transformers.")
    with torch.no_grad():
        words = [kind for kind in SOURCE if kind.isalnum()]
        pieces = tokenizer([words], is_split_into_words=True, add_special_tokens=False, return_tensors="pt")
        hidden = torch.nn.functional.normalize(model.eval()(**pieces).last_hidden_state[0], dim=1).numpy()
    assert pieces.word_ids() == list(range(len(words))) and len(words) > 20
    assert np.allclose(hidden, vectors(student, words), atol=1e-6)


def test_a_saved_student_is_read_back_as_it_was(student: Student, saved: Path) -> None:
    back = load_student(saved)
    assert not back.model.training
    assert back.tokenizer.get_vocab() == student.tokenizer.get_vocab()
    for text in (SOURCE, ODD, TARGET[:1]):
        assert np.array_equal(vectors(back, text), vectors(student, text))


def test_a_folder_whose_weights_are_a_pickle_is_refused(student: Student, saved: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((saved / name).read_bytes())
    torch.save(student.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        load_student(tmp_path)


def test_the_same_teachers_and_seed_give_the_same_student(student: Student) -> None:
    torch.rand(3)
    again, other = small_student(), small_student(seed=14)
    ours, theirs = student.model.state_dict(), again.model.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert student.tokenizer.get_vocab() == again.tokenizer.get_vocab()
    assert not np.array_equal(vectors(student, SOURCE), vectors(other, SOURCE))


def test_a_word_of_both_languages_has_the_mean_of_its_two_meanings() -> None:
    fitted = teachers({"fiebre": "fever", "tos": "cough", "no": "nope", "pain": "no"})
    wide = new_student(fitted, SMALL.model_copy(update={"hidden": 64}))
    row = wide.tokenizer.get_vocab()["no"]
    found = wide.model.embeddings.tok_embeddings.weight[row].numpy()
    source, target = fitted.source.index["no"], fitted.target.index["no"]
    assert found[:8] == pytest.approx((fitted.sentence_source[source] + fitted.sentence_target[target]) / 2, abs=1e-6)
    assert found[16:24] == pytest.approx((fitted.phrase_source[source] + fitted.phrase_target[target]) / 2, abs=1e-6)


def test_teachers_with_more_dimensions_than_the_student_holds_are_cut() -> None:
    fitted = teachers(DICTIONARY, dimensions=24)
    cut = new_student(fitted, SMALL)
    row = cut.tokenizer.get_vocab()["fiebre"]
    found = cut.model.embeddings.tok_embeddings.weight[row].numpy()
    number = fitted.source.index["fiebre"]
    assert found[:8] == pytest.approx(fitted.sentence_source[number, :8], abs=1e-6)
    assert found[8:16] == pytest.approx(fitted.phrase_source[number, :8], abs=1e-6)


@pytest.mark.parametrize("bad", [{"hidden": 8}, {"layers": 0}, {"window": 1}, {"width": 64}])
def test_settings_out_of_range_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        StudentConfig.model_validate(bad)
