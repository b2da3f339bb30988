"""Teachers in a folder, one safetensors file an array. Read back, what is as large as the vocabulary stays there (``stored``)."""

from pathlib import Path

import numpy as np

from pipeline_lib.alignment.fitted import Teachers, Vocabulary
from pipeline_lib.alignment.lexical import Channel, Translation
from pipeline_lib.alignment.stored import StoredTable, read_array, store_matrix, store_table, stored_matrix, write_array

VIEWS = ("sentence_source", "sentence_target", "phrase_source", "phrase_target")


def save_teachers(teachers: Teachers, folder: Path) -> None:
    """Write the arrays; vocabularies are UTF-8 bytes, one type a line (a type holds no line break)."""
    for side, vocabulary in (("source", teachers.source), ("target", teachers.target)):
        write_array(np.frombuffer("\n".join(vocabulary.types).encode("utf-8"), dtype=np.uint8), folder / f"{side}_types.safetensors")
        write_array(vocabulary.counts, folder / f"{side}_counts.safetensors")
    for name in VIEWS:
        store_matrix(getattr(teachers, name)[:], folder, name)
    store_table(teachers.lexical, folder, "lexical")
    for name in ("forward", "backward"):
        channel: Channel = getattr(teachers.translation, name)
        store_table(channel.whole, folder, name)
        write_array(channel.empty, folder / f"{name}_empty.safetensors")
        write_array(channel.jumps, folder / f"{name}_jumps.safetensors")


def load_teachers(folder: Path) -> Teachers:
    """What ``save_teachers`` wrote, usable for as long as the folder is there."""
    source, target = load_vocabulary(folder, "source"), load_vocabulary(folder, "target")
    shape = (len(source.types), len(target.types))
    translation = Translation(_channel(folder, "forward", shape), _channel(folder, "backward", shape[::-1]))
    views = {name: stored_matrix(folder, name) for name in VIEWS}
    return Teachers(source=source, target=target, **views, lexical=StoredTable(folder, "lexical", shape)[:], translation=translation)


def load_vocabulary(folder: Path, side: str) -> Vocabulary:
    """The types of one ``side``, ``source`` or ``target``."""
    types = read_array(folder / f"{side}_types.safetensors").tobytes().decode("utf-8").split("\n")
    return Vocabulary(tuple(types), read_array(folder / f"{side}_counts.safetensors"))


def _channel(folder: Path, name: str, shape: tuple[int, int]) -> Channel:
    empty, jumps = (read_array(folder / f"{name}_{part}.safetensors") for part in ("empty", "jumps"))
    return Channel(StoredTable(folder, name, shape), empty, jumps)
