"""Source units a CPU second on background documents, in both ways that a run aligns: by teachers fitted before, from the texts to the
projections into English, against eflomal; and by an encoder's vectors into all six targets, against simalign on the same weights. The peers
only align.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import torch

from benchmarks.background import Background, background, sentence_pairs
from benchmarks.encoding import BASE, SMALL
from benchmarks.fitting import Pair, eflomal, run_eflomal
from benchmarks.links import SentenceAligner
from benchmarks.measure import Row, cpu_seconds
from benchmarks.projection import LANGS, Model, learnt
from benchmarks.saved_encoder import save_encoder
from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig, align_vectors, alignment_rows
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.views import embeddings_table, typed_texts
from pipeline_lib.corpus.samples import LANGUAGES
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import Encoder, load_encoder
from pipeline_lib.encoding.vectors import EncodeConfig, InOrder, vector_tables
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.decode import DecodeConfig, place_fragments, unsupervised
from pipeline_lib.projection.gather import PairTexts, candidate_tables
from pipeline_lib.projection.one_pass import AT_ONCE, Annotated, OnePassConfig, PairKnowledge, project_documents
from pipeline_lib.projection.project import TargetShard, project_tables

FITTED = 100  # other documents, that the model is fitted on
ENCODED = 16  # of so many documents one goes through the encoders, where a unit takes as long however many there are
WARM = 4  # documents that everything is called with before it is measured
MEASURED, OTHERS = 1, 2  # seeds
LAYERS = BASE["num_hidden_layers"]
TARGETS = [lang for lang in LANGUAGES if lang != LANGS[0]]
LAYER = 8  # whose states are taken: simalign's default; it runs all layers, we those up to it
# Twelve layers of a small model and of the smallest that is published with so many (Turc et al. 2019).
SHAPES = (SMALL | {"num_hidden_layers": LAYERS}, BASE | {"hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 512})


def throughput_rows(documents: int) -> list[Row]:
    """One row a way. Ratios: how many times as long the peer takes for a source unit."""
    measured, others = background(MEASURED, documents), background(OTHERS, FITTED)
    learnt(others.first(WARM).texts, others.first(WARM).mentions)
    models: list[Model] = []
    fit_seconds = cpu_seconds(lambda: models.append(learnt(others.texts, others.mentions)))
    encoded = max(1, documents // ENCODED)
    pairs = [background(MEASURED, encoded, target) for target in TARGETS]
    known = [learnt(given.texts, given.mentions) for given in (background(OTHERS, FITTED, target) for target in TARGETS)]
    row = embedded_row(measured, models[0], fit_seconds)
    return [row, *(encoder_row(shape, pairs, known) for shape in SHAPES)]


def embedded_row(measured: Background, model: Model, fit_seconds: float) -> Row:
    pairs = sentence_pairs(measured.annotated(), folded=True)
    project(measured.first(WARM), model)
    seconds = cpu_seconds(lambda: project(measured, model))
    own_fit = cpu_seconds(lambda: learnt(measured.texts, measured.mentions))
    row = _sizes("fitted teachers", measured, pairs) | {
        "fitted_on": FITTED,
        "fit_s": fit_seconds,
        "own_fit_s": own_fit,
        "ours_s": seconds,
        "ours_units_a_second": _units(measured) / seconds,
    }
    if eflomal is None:
        return row | {"peer": "eflomal", "peer_s": "absent"}
    pace = _paired_units(pairs) / (peer := cpu_seconds(lambda: run_eflomal(pairs)))
    ratios = {"ratio": row["ours_units_a_second"] / pace, "ratio_with_own_fit": _units(measured) / (seconds + own_fit) / pace}
    return row | {"peer": "eflomal", "peer_s": peer, "peer_units_a_second": pace} | ratios


def project(measured: Background, model: Model) -> list[pa.Table]:
    """PROJECTIONS in one pass, from the texts on."""
    known = PairKnowledge(measured.langs, model.teachers, model.edges, model.known, unsupervised)
    parts = project_documents(list(measured.texts[measured.langs[0]]), measured.annotated(), known, "", OnePassConfig())
    return [projections for projections, _, _ in parts]


def encoder_row(shape: dict[str, int], measured: Sequence[Background], models: Sequence[Model]) -> Row:
    """The same documents into one target after the other."""
    with tempfile.TemporaryDirectory() as folder:
        save_encoder(Path(folder), shape)
        encoder = load_encoder(Path(folder), ModelSource(model=folder, hidden_state=LAYER), "cpu", torch.float32, EncodeConfig().tokens)
        peer = SentenceAligner(folder, token_type="bpe", matching_methods="i", layer=LAYER) if SentenceAligner else None
    _encoder_seconds([measured[0].first(WARM)], models[:1], encoder)
    parts = _encoder_seconds(measured, models, encoder)
    pairs = [pair for given in measured for pair in sentence_pairs(given.annotated(), folded=False)]
    units, ours = len(measured) * _units(measured[0]), sum(parts.values())
    row = _sizes("encoder", measured[0], pairs) | {"targets": len(measured), "layers": LAYERS, "layer_taken": LAYER, "width": encoder.width}
    row |= parts | {"ours_s": ours, "ours_units_a_second": units / ours}
    if peer is None:
        return row | {"peer": "simalign itermax", "peer_s": "absent"}
    run_simalign(peer, pairs[:WARM])
    pace = _paired_units(pairs) / (seconds := cpu_seconds(lambda: run_simalign(peer, pairs)))
    row |= {"peer": "simalign itermax", "peer_s": seconds, "peer_units_a_second": pace, "ratio": row["ours_units_a_second"] / pace}
    one_target = parts["source_encoded_s"] + (ours - parts["source_encoded_s"]) / len(measured)
    return row | {"one_target_ratio_by_arithmetic": _units(measured[0]) / one_target / pace}


def _encoder_seconds(measured: Sequence[Background], models: Sequence[Model], encoder: Encoder) -> dict[str, float]:
    """CPU seconds of the parts: the source encoded once, the targets, and all else from the vectors to the projections."""
    source, (lang, _) = list[pa.Table](), measured[0].langs
    texts = measured[0].annotated().source
    once = cpu_seconds(lambda: source.extend(vector_tables(texts, lang, encoder)))
    each = [_target_seconds(given, model, encoder, source) for given, model in zip(measured, models, strict=True)]
    encoded, beside = (sum(seconds) for seconds in zip(*each, strict=True))
    return {"source_encoded_s": once, "targets_encoded_s": encoded, "beside_s": beside}


def _target_seconds(measured: Background, model: Model, encoder: Encoder, source: Sequence[pa.Table]) -> tuple[float, float]:
    documents, target = measured.annotated(), list[pa.Table]()
    encoded = cpu_seconds(lambda: target.extend(vector_tables(documents.target, measured.langs[1], encoder)))
    return encoded, cpu_seconds(lambda: carry(measured.langs, documents, InOrder(source), InOrder(target), model))


def carry(langs: tuple[str, str], documents: Annotated, source: InOrder, target: InOrder, model: Model) -> list[pa.Table]:
    """PROJECTIONS from the vectors on: segments, alignments, posteriors, candidates, spans."""
    segments = segment_pairs_table(documents.source, documents.target, langs, SegmentConfig())
    ours = embeddings_table(documents.source, langs[0], model.teachers.source)
    theirs = embeddings_table(documents.target, langs[1], model.teachers.target)
    posteriors = pa.concat_tables([found for _, found in cost_tables(ours, theirs, segments, model.teachers, CostConfig())])
    groups = segment_pairs(segments)
    aligned = ((name, align_vectors(source.of(name), target.of(name), AlignConfig(), group)) for name, group in groups.items())
    texts = PairTexts(langs, documents.source, documents.target, typed_texts(theirs), model.edges)
    alignments = ALIGNMENTS.parts(alignment_rows(aligned, langs), AT_ONCE)
    candidates = pa.concat_tables(candidate_tables(documents.mentions, texts, alignments, posteriors, {}, CandidateConfig()))
    placed = place_fragments(candidates, model.known, DecodeConfig())
    shard = TargetShard(langs[1], documents.target, "")
    return [found for found, _ in project_tables(documents.mentions, documents.lines, documents.source, shard, placed)]


def run_simalign(aligner: "SentenceAligner", pairs: Sequence[Pair]) -> None:
    for source, target in pairs:
        aligner.get_word_aligns(source, target)


def _sizes(way: str, measured: Background, pairs: Sequence[Pair]) -> Row:
    sizes = {"documents": len(measured.texts[measured.langs[0]]), "source_units": _units(measured), "pairs": len(pairs)}
    return {"way": way, "threads": 1} | sizes | {"mentions": measured.mentions.num_rows}


def _units(measured: Background) -> int:
    return sum(len(text.starts) for text in measured.annotated().source.values())


def _paired_units(pairs: Sequence[Pair]) -> int:
    return sum(len(source) for source, _ in pairs)
