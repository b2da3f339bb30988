"""Background documents to measure on: recombined from the bundled corpus, in memory, with the source's mentions."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.fitting import Pair
from benchmarks.projection import LANGS, grids, pair_of
from data_contracts import ANNOTATION_LINES, MENTIONS
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.units import GridText
from pipeline_lib.corpus.brat import parse
from pipeline_lib.corpus.standoff_rows import mention_rows
from pipeline_lib.corpus.synth import compose, document_id, draw, sample_segments
from pipeline_lib.projection.one_pass import Annotated


@dataclass(frozen=True)
class Background:
    """Texts by language and document, the source's first, and MENTIONS of the source."""

    texts: dict[str, dict[str, str]]
    mentions: pa.Table

    @property
    def langs(self) -> tuple[str, str]:
        return pair_of(self.texts)

    def first(self, number: int) -> "Background":
        """Only so many documents."""
        texts = {lang: dict(list(of_lang.items())[:number]) for lang, of_lang in self.texts.items()}
        return Background(texts, self.mentions.filter(pc.is_in(self.mentions["document"], pa.array(list(texts[self.langs[0]])))))

    def annotated(self) -> Annotated:
        """On fresh grids, whose types nobody has asked for."""
        source, target = map(grids, self.texts.values())
        return Annotated(source, target, self.mentions, ANNOTATION_LINES.table([]), {})


def background(seed: int, documents: int, target: str = LANGS[1]) -> Background:
    """The first documents of a seed."""
    segments, source_lang = sample_segments(), LANGS[0]
    texts: dict[str, dict[str, str]] = {source_lang: {}, target: {}}
    rows: list[dict[str, object]] = []
    for number in range(documents):
        name, drawn = document_id(number), draw(seed, number, segments)
        source = compose(drawn, source_lang)
        texts[source_lang][name], texts[target][name] = source.text, compose(drawn, target).text
        rows += mention_rows(parse(source.annotations), name, source_lang, f"{name}.ann")
    return Background(texts, MENTIONS.table(rows))


def sentence_pairs(documents: Annotated, folded: bool) -> list[Pair]:
    """The units of every two groups of segments that translate each other: folded, or as they are written."""
    groups = segment_pairs(segment_pairs_table(documents.source, documents.target, LANGS, SegmentConfig()))
    found: list[Pair] = []
    for name, group in groups.items():
        source, target = (_words(side[name], folded) for side in (documents.source, documents.target))
        for (first, end), (left, right) in zip(group.source.tolist(), group.target.tolist(), strict=True):
            if first < end and left < right:
                found.append((source[first:end], target[left:right]))
    return found


def _words(text: GridText, folded: bool) -> list[str]:
    return text.types if folded else [text.text[start:end] for start, end in zip(text.starts, text.ends, strict=True)]
