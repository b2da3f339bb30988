"""Projection of the bundled corpus, Spanish to English: every step from the texts to the spans, with the model fitted before."""

from dataclasses import dataclass

import pyarrow as pa

from benchmarks.measure import Row, cpu_seconds, median_ms
from data_contracts import MENTIONS, POSTERIORS
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen_table
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.alignment.views import embeddings_table, typed_texts
from pipeline_lib.corpus.marks import parse_marks
from pipeline_lib.corpus.samples import documents, marked
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig, corpus_tables
from pipeline_lib.projection.decode import DecodeConfig, Fragments, place_fragments
from pipeline_lib.projection.edges import EdgeConfig, edge_log_odds, source_edges
from pipeline_lib.projection.gather import PairTexts, candidate_tables
from pipeline_lib.projection.scoring import CorpusKnowledge, corpus_knowledge

ROUNDS = 5
LANGS = ("es", "en")


@dataclass(frozen=True)
class Model:
    """What is learnt before: teachers, edge log-odds of target types, and what the corpus says of the candidates."""

    teachers: Teachers
    edges: object
    known: CorpusKnowledge


def projection_row() -> Row:
    texts, mentions = corpus()
    models = [learnt(texts, mentions)]
    fit_seconds = cpu_seconds(lambda: models.append(learnt(texts, mentions)))
    seconds = median_ms({"all": lambda: project(texts, mentions, models[-1])}, ROUNDS)["all"] / 1e3
    units = sum(len(split_units(text).starts) for text in texts["es"].values())
    return {
        "documents": len(texts["es"]),
        "source_units": units,
        "mentions": mentions.num_rows,
        "fragments_placed": len(project(texts, mentions, models[-1])),
        "fit_s": fit_seconds,
        "documents_a_second": len(texts["es"]) / seconds,
        "units_a_second": units / seconds,
    }


def corpus() -> tuple[dict[str, dict[str, str]], pa.Table]:
    """Texts by language and document, and MENTIONS of the source."""
    texts: dict[str, dict[str, str]] = {lang: {} for lang in LANGS}
    rows: list[dict[str, object]] = []
    for name in documents():
        texts["es"][name], found = parse_marks(marked(name, "es"))
        texts["en"][name] = parse_marks(marked(name, "en"))[0]
        for number, mention in enumerate(found, start=1):
            rows.append(
                {
                    **{"document": name, "lang": "es", "mention": f"T{number}", "label": mention.label, "surface": "-"},
                    **{"starts": list(mention.starts), "ends": list(mention.ends)},
                    **{"file": f"es/{name}.ann", "line": number, "terminator": "\n", "raw": None},
                }
            )
    return texts, MENTIONS.table(rows)


def pair_of(texts: dict[str, dict[str, str]]) -> tuple[str, str]:
    """The languages of texts, the source's first."""
    source, target = texts
    return source, target


def learnt(texts: dict[str, dict[str, str]], mentions: pa.Table) -> Model:
    source, target = map(grids, texts.values())
    groups = segment_pairs(segment_pairs_table(source, target, pair_of(texts), SegmentConfig()))
    teachers = fit_teachers([PairTypes(source[name].types, target[name].types, groups[name]) for name in source], FitConfig())
    counted = source_edges(source, mentions, teachers.source)
    edges = edge_log_odds(counted, teachers.lexical, teachers.target.counts, EdgeConfig())
    config = ConsistencyConfig()
    known = corpus_knowledge(*corpus_tables(found(texts, mentions, teachers, edges), teachers.target.counts, config), config.votes)
    return Model(teachers, edges, known)


def grids(texts: dict[str, str]) -> dict[str, GridText]:
    made = {name: split_units(text) for name, text in texts.items()}
    return {name: GridText(texts[name], units.starts, units.ends, units.breaks) for name, units in made.items()}


def found(texts: dict[str, dict[str, str]], mentions: pa.Table, teachers: Teachers, edges: object) -> list[pa.Table]:
    """CANDIDATES, from the texts on."""
    langs, (source, target) = pair_of(texts), map(grids, texts.values())
    segments = segment_pairs_table(source, target, langs, SegmentConfig())
    ours, theirs = embeddings_table(source, langs[0], teachers.source), embeddings_table(target, langs[1], teachers.target)
    parts = list(cost_tables(ours, theirs, segments, teachers, CostConfig()))
    plans = (sharpen_table(costs, SharpenConfig()) for costs, _ in parts)
    posteriors = pa.concat_tables([POSTERIORS.schema.empty_table(), *(found for _, found in parts)])
    pair = PairTexts(langs, source, target, typed_texts(theirs), edges)
    return list(candidate_tables(mentions, pair, plans, posteriors, {}, CandidateConfig()))


def project(texts: dict[str, dict[str, str]], mentions: pa.Table, model: Model) -> Fragments:
    parts = found(texts, mentions, model.teachers, model.edges)
    return {name: place for part in parts for name, place in place_fragments(part, model.known, DecodeConfig()).items()}
