"""MCAI: gold spans of the declared documents bias the plans that the student learns from, as strongly as pays on gold it has not seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import torch
from prefect import task

from data_contracts import MAPPED_SPANS, MCAI_SCALES, TRANSPORT_PLANS
from pipeline_lib.alignment.align import AlignConfig, align_tables
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import read_student
from pipeline_lib.encoding.vectors import EncodeConfig, chosen_device
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision.declared import declared_gold, gold_hashes
from pipeline_lib.supervision.mcai import McaiConfig, bias_plans, map_spans, mapped, mean_overlap, parted
from tasks.rerank import declared_rows
from tasks.scan import Scanned
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, read_all, texts_fingerprints

AS_IT_IS, ENCODE = ModelSource(), EncodeConfig()  # of no meaning to the student of fitted teachers
BothTexts = tuple[list[Texts], list[Texts]]


@dataclass(frozen=True)
class Chosen:
    """MCAI_SCALES of one language pair, and the student that did best."""

    main: ArtifactRef
    student: ArtifactRef


@task(name="map", task_run_name="map", **STAGE)
def map_gold(
    root: str,
    folder: str,
    scanned: Scanned,
    texts: BothTexts,
    mentions: list[ArtifactRef],
    plans: list[ArtifactRef],
    layout: CorpusConfig,
    config: McaiConfig,
) -> ArtifactRef:
    """MAPPED_SPANS of one language pair. Opens the gold of the declared documents and of no other."""
    store = Store(root)
    langs = _langs(texts)
    rows = declared_rows(store, scanned, langs[1])
    inputs = [
        *sorted(f"{label}={alias}" for label, alias in layout.aliases.items()),
        *[f"{row['document']}={found}" for row, found in zip(rows, gold_hashes(Path(folder), rows), strict=True)],
        *texts_fingerprints([*texts[0], *texts[1]]),
        *fingerprints(mentions, plans),
    ]

    def make() -> Iterator[pa.Table]:
        gold = declared_gold(Path(folder), rows, layout.aliases)
        source, target = (read_all(store, side, gold) for side in texts)
        of_document: dict[str, list[dict[str, object]]] = {}
        for row in (row for ref in mentions for row in store.read(ref).to_pylist() if row["document"] in gold):
            of_document.setdefault(row["document"], []).append(row)
        parts = (part for ref in plans for part in store.scan(ref))
        yield map_spans(parts, of_document, gold, source, target, langs, config.least)

    made_of = ingredients(MAPPED_SPANS.id, "pipeline_lib.supervision.mcai", config, inputs)
    return store.table(MAPPED_SPANS, "-".join(langs), made_of, make)


@task(name="bias", task_run_name="bias {plans.shard} {scale}", **STAGE)
def bias(root: str, plans: ArtifactRef, spans: ArtifactRef, scale: float, config: McaiConfig) -> ArtifactRef:
    """TRANSPORT_PLANS biased by MAPPED_SPANS, but for the documents that choose the scale."""
    store = Store(root)
    inputs = [*fingerprints(plans, spans), f"scale={scale!r}"]
    made_of = ingredients(TRANSPORT_PLANS.id, "pipeline_lib.supervision.mcai", config, inputs)

    def make() -> Iterator[pa.Table]:
        learn, _ = parted(mapped(store.read(spans)), config.held_out)
        return (bias_plans(part, learn, scale, config.iterations) for part in store.scan(plans))

    return store.table(TRANSPORT_PLANS, plans.shard, made_of, make)


@task(name="choose", task_run_name="choose {spans.shard}", **STAGE)
def choose_student(
    root: str,
    texts: BothTexts,
    segments: list[ArtifactRef],
    students: dict[float, ArtifactRef],
    spans: ArtifactRef,
    align: AlignConfig,
    config: McaiConfig,
    source: ModelSource = AS_IT_IS,
    encode: EncodeConfig = ENCODE,
) -> Chosen:
    """Of the students by the scale of their bias, the one whose alignments see most of the held-out gold; the smaller scale if equal."""
    store, scales = Store(root), sorted(students)
    inputs = [
        *texts_fingerprints([*texts[0], *texts[1]]),
        *fingerprints(segments, [students[scale] for scale in scales], spans),
        *(f"scale={scale!r}" for scale in scales),
        align.model_dump_json(),
    ]

    def make() -> Iterator[pa.Table]:
        torch.set_num_threads(1)
        _, judges = parted(mapped(store.read(spans)), config.held_out)
        ours, theirs = (read_all(store, side, judges) for side in texts)
        groups = {name: found for ref in segments for name, found in segment_pairs(store.read(ref)).items() if name in judges}
        seen = []
        for scale in scales:
            with store.local(students[scale]) as folder:
                student = read_student(folder, source, chosen_device(encode.device), encode.tokens)
                seen.append(mean_overlap(align_tables(ours, theirs, _langs(texts), groups, student, align), judges))
        best = max(range(len(scales)), key=seen.__getitem__)
        yield MCAI_SCALES.table(
            [
                {"scale": scale, "overlap": found, "chosen": number == best}
                for number, (scale, found) in enumerate(zip(scales, seen, strict=True))
            ]
        )

    made_of = ingredients(MCAI_SCALES.id, "pipeline_lib.supervision.mcai", config, inputs)
    choice = store.table(MCAI_SCALES, spans.shard, made_of, make)
    (scale,) = (row["scale"] for row in store.read(choice).to_pylist() if row["chosen"])
    return Chosen(choice, students[scale])


def _langs(texts: BothTexts) -> tuple[str, str]:
    source, target = (side[0].units.shard.split("/")[0] for side in texts)
    return source, target
