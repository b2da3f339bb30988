"""The pace of the stages that read one text at a time: ingest and units."""

from collections.abc import Mapping

import pyarrow as pa

from data_contracts import ANNOTATION_LINES, DOCUMENTS, MENTIONS, UNITS
from pipeline_lib.alignment.units import Cut, units_table
from pipeline_lib.corpus.documents import annotations_hash, hash_file, read_document
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.sample import Sample, Sampled


def by_turns(sample: Sample) -> dict[str, Sampled]:
    """Every text by ``{lang}/{document}``: one document in all languages after the other."""
    names = next(iter(sample.drawn.values()))
    return {f"{lang}/{name}": texts[name] for name in names for lang, texts in sample.texts.items() if name in texts}


def time_ingest(sample: Sample, aliases: Mapping[str, str], clock: Clock) -> Pace:
    """Files read, hashed as often as a run does, and made into rows; work in units."""
    texts = by_turns(sample)
    source = next(iter(sample.texts))

    def make(item: str) -> Tables:
        file = texts[item].file
        read = read_document(file, with_annotations=file.lang == source, aliases=aliases)
        for _ in range(2):
            hash_file(file.path)
            if file.lang == source and file.annotations:
                annotations_hash(file)
        assert read.document is not None  # it could be read when the sample was taken
        return DOCUMENTS.table([read.document]), MENTIONS.table(read.mentions), ANNOTATION_LINES.table(read.lines)

    return pace(_units(texts), make, [DOCUMENTS, MENTIONS, ANNOTATION_LINES], clock)


def time_units(sample: Sample, cut: Cut | None, clock: Clock) -> Pace:
    """Texts cut into units; work in units."""
    texts = by_turns(sample)

    def make(item: str) -> Tables:
        return (units_table(DOCUMENTS.table([texts[item].read.document or {}]), cut),)

    return pace(_units(texts), make, [UNITS], clock)


def mentions_of(sampled: Sampled) -> pa.Table:
    """MENTIONS of one text of the source."""
    return MENTIONS.table(sampled.read.mentions)


def lines_of(sampled: Sampled) -> pa.Table:
    """ANNOTATION_LINES of one text of the source."""
    return ANNOTATION_LINES.table(sampled.read.lines)


def _units(texts: Mapping[str, Sampled]) -> dict[str, float]:
    return {item: float(max(len(found.text.starts), 1)) for item, found in texts.items()}
