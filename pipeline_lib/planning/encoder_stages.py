"""The pace of transformer encoders on a sample's texts, and of the cost that their vectors give."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from data_contracts import ALIGNMENTS, COST_MATRICES, UNIT_VECTORS
from pipeline_lib.alignment.align import AlignConfig, align_vectors, alignment_rows
from pipeline_lib.alignment.band import BandConfig
from pipeline_lib.alignment.segments import Groups, anchored_band
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.hugging_face import auto_model
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import Encoder, encode_texts, load_encoder
from pipeline_lib.encoding.vectors import EncodeConfig, InOrder, chosen_device, chosen_precision, vector_tables
from pipeline_lib.encoding.views import Role, ViewsConfig, view_rows
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.pair_stages import timed

Texts = Mapping[str, GridText]  # by ``{lang}/{document}``, a document's languages side by side
FIRST = 32  # units of the text that a clock begins with
FEWEST = 64  # units that a text is cut to at least


@dataclass(frozen=True)
class EncoderPace:
    """What was measured of an encoder.

    Attributes:
        pace: its work in tokens; reads: tokens it reads for a unit of the grid, by language; load: seconds it takes to be read.
        each: bytes that a number of its vectors takes in the store; cut: units that a text was cut to, where one takes too long.
    """

    pace: Pace
    reads: dict[str, float]
    load: float
    width: int
    each: float
    cut: int


def time_encoder(folder: Path, source: ModelSource, texts: Texts, config: EncodeConfig, clock: Clock, cut: int = 0) -> EncoderPace:
    """Load an encoder and let it read the sample as a run does: text by text on a CPU, those of a language together on a GPU.

    ``cut``: of how many units texts are at most; 0: as many as the time allows.
    """
    auto_model()  # imported once a run, not once an encoder
    device = chosen_device(config.device)
    precision = chosen_precision(config.precision, device)
    load, encoder = timed(lambda: load_encoder(folder, source, device, precision, config.tokens))
    reads = _reads(encoder, texts)
    with one_thread():
        cut = cut or _affordable(encoder, texts, clock)
        calls = _calls(texts, cut, device == "cpu")
        work = {name: float(sum(encoder.read(text).tokens for text in call.values())) for name, call in calls.items()}

        def make(item: str) -> Tables:
            torch.set_num_threads(1)  # a thread's own
            texts, lang = calls[item], item.split("/")[0]
            return (next(vector_tables(texts, lang, encoder, len(texts))),)

        found = pace(work, make, [UNIT_VECTORS], clock)
    numbers = sum(len(text.starts) for item in found.made for text in calls[item].values()) * encoder.width
    each = found.sizes[UNIT_VECTORS.name] * sum(work[item] for item in found.made) / numbers
    return EncoderPace(Pace(found.rate, {}, _by_text(found.made)), reads, load, encoder.width, each, cut)


def time_views(
    langs: tuple[str, str],
    groups: Mapping[str, Groups],
    encoders: Mapping[Role, EncoderPace],
    config: ViewsConfig,
    clock: Clock,
) -> Pace:
    """The cost that the teachers' vectors give; work in cells."""

    def make(name: str) -> Tables:
        ours, theirs = ({role: _one(each, lang, name) for role, each in encoders.items()} for lang in langs)
        return (COST_MATRICES.table(list(view_rows({name: groups[name]}, ours, theirs, langs, config))),)

    cells = read_cells(langs, groups, encoders.values(), config.band, config.anchored)
    return pace(cells, make, [COST_MATRICES], clock, least=clock.part)


def time_align_vectors(
    langs: tuple[str, str], groups: Mapping[str, Groups], student: EncoderPace, config: AlignConfig, clock: Clock
) -> Pace:
    """Alignments of vectors; work in cells."""

    def make(name: str) -> Tables:
        ours, theirs = (_one(student, lang, name).of(name) for lang in langs)
        found = [(name, align_vectors(ours, theirs, config, groups[name]))]
        return (ALIGNMENTS.table(list(alignment_rows(found, langs))),)

    cells = read_cells(langs, groups, [student], config.band, config.anchored)
    return pace(cells, make, [ALIGNMENTS], clock, least=clock.part)


def read_cells(
    langs: tuple[str, str], groups: Mapping[str, Groups], encoders: Iterable[EncoderPace], band: BandConfig, anchored: bool
) -> dict[str, float]:
    """Cells of the documents that every encoder has read on both sides, as far as they were read."""
    made = [each.pace.made for each in encoders]
    found = {}
    for name, group in groups.items():
        sides = [f"{lang}/{name}" for lang in langs]
        if all(side in each for each in made for side in sides):
            rows, columns = (int(made[0][side][0]["units"][0].as_py()) for side in sides)
            found[name] = float(anchored_band(group if anchored else None, rows, columns, band)[0].cells)
    return found


def _one(encoder: EncoderPace, lang: str, name: str) -> InOrder:
    return InOrder(encoder.pace.made[f"{lang}/{name}"])


def _reads(encoder: Encoder, texts: Texts) -> dict[str, float]:
    tokens: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for key, text in texts.items():
        lang = key.split("/")[0]
        tokens[lang] += encoder.read(text).tokens
        units[lang] += len(text.starts)
    return {lang: tokens[lang] / units[lang] for lang in tokens}


def _affordable(encoder: Encoder, texts: Texts, clock: Clock) -> int:
    """Units of a text that are encoded in the time there is."""
    text = max(texts.values(), key=lambda text: len(text.starts))[:FIRST]
    list(encode_texts(encoder, [text]))
    seconds, _ = timed(lambda: list(encode_texts(encoder, [text])))
    return max(FEWEST, int(clock.seconds * len(text.starts) / seconds))


def _calls(texts: Texts, cut: int, alone: bool) -> dict[str, dict[str, GridText]]:
    """What is encoded at a time, by language and document."""
    calls: dict[str, dict[str, GridText]] = {}
    for key, text in texts.items():
        lang, _, name = key.partition("/")
        calls.setdefault(key if alone else lang, {})[name] = text if len(text.starts) <= cut else text[:cut]
    return calls


def _by_text(made: Mapping[str, Tables]) -> dict[str, Tables]:
    """Tables of one text each, by language and document."""
    tables = [table.slice(row, 1) for (table,) in made.values() for row in range(table.num_rows)]
    return {f"{table['lang'][0].as_py()}/{table['document'][0].as_py()}": (table,) for table in tables}


@contextmanager
def one_thread() -> Iterator[None]:
    """As the shards of a run: one thread a product, since they work side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
