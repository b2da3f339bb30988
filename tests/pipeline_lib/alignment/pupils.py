"""Small students: teachers written down instead of fitted, and lessons whose answer is known."""

import copy

import numpy as np
import torch
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.fitted import Teachers, Vectors, Vocabulary
from pipeline_lib.alignment.hmm import JUMPS
from pipeline_lib.alignment.lessons import Lesson
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.student import Side, Student, StudentConfig, new_student
from pipeline_lib.alignment.units import GridText, split_units

SMALL = StudentConfig(spelling=64, lexicon=64, neighbour=16, hidden=16, layers=2, reach=2)
DICTIONARY = {
    "fiebre": "fever",
    "tos": "cough",
    "dolor": "pain",
    "asma": "asthma",
    "hígado": "liver",
    "2,5": "2.5",
    "…": "…",
    ".": ".",
} | {f"k{chr(97 + number)}": f"w{chr(97 + number)}" for number in range(20)}


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def types(words: list[str]) -> list[str]:
    """What the grid makes of words."""
    return grid(" ".join(words)).types


def teachers(pairs: dict[str, str], dimensions: int = 8, seed: int = 1) -> Teachers:
    """Teachers that know the pairs: both words have one vector a view, and translate each other surely."""
    sources, targets = types(list(pairs)), types(list(pairs.values()))
    order = sorted(range(len(sources)), key=lambda number: sources[number]), sorted(range(len(targets)), key=lambda number: targets[number])
    random = np.random.default_rng(seed)
    sentence, phrase = _directions(random, len(pairs), dimensions), _directions(random, len(pairs), dimensions)
    ones = np.ones(len(pairs))
    lexical = csr_array((ones, (np.argsort(order[0]), np.argsort(order[1]))), shape=(len(pairs), len(pairs)))
    source, target = (_vocabulary([words[number] for number in rows]) for words, rows in zip((sources, targets), order, strict=True))
    empty = np.full(len(pairs), 1.0 / len(pairs))
    jumps = np.full(JUMPS, 1.0 / JUMPS)
    translation = Translation(Channel(lexical, empty, jumps), Channel(lexical.T.tocsr(), empty, jumps))
    return Teachers(source, target, sentence[order[0]], sentence[order[1]], phrase[order[0]], phrase[order[1]], lexical, translation)


def small_student(seed: int = 13) -> Student:
    return new_student(teachers(DICTIONARY), SMALL.model_copy(update={"seed": seed}), CostConfig())


def other_way(student: Student) -> Student:
    """The same student of the language pair the other way round."""
    model = copy.deepcopy(student.model)
    model.tables = torch.nn.ModuleDict({"source": model.tables["target"], "target": model.tables["source"]})
    return Student(model, {"source": student.numbers["target"], "target": student.numbers["source"]})


def vectors(student: Student, types: list[str], side: Side = "source") -> Vectors:
    with torch.no_grad():
        return np.asarray(student.encode(types, side).numpy(), dtype=np.float32)


def toy_lessons(seed: int, count: int, length: int = 12) -> list[Lesson]:
    """Random words and their translations in the same order: the answer is the diagonal, though words repeat."""
    random = np.random.default_rng(seed)
    words = list(DICTIONARY)[-20:]
    found = []
    for number in range(count):
        source = [words[i] for i in random.integers(0, 5, length)]
        everywhere = Band(np.zeros(length, dtype=np.int32), np.full(length, length, dtype=np.int32), length)
        plan, nearness = np.eye(length, dtype=np.float32).ravel(), np.ones(length * length, dtype=np.float32)
        found.append(Lesson(f"d{number}", source, [DICTIONARY[word] for word in source], everywhere, plan, nearness))
    return found


def _directions(random: np.random.Generator, rows: int, dimensions: int) -> Vectors:
    matrix = random.standard_normal((rows, dimensions))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def _vocabulary(types: list[str]) -> Vocabulary:
    return Vocabulary(tuple(types), np.ones(len(types), dtype=np.int64))
