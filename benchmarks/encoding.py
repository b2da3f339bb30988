"""Encoding documents: our windows without padding against batches of eight in random order, padded, as plain transformers would run them;
and what the alignment costs beside the encoder. The encoder has random weights: speed does not depend on what it has learnt.
"""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from benchmarks.measure import Row, median_ms
from pipeline_lib.alignment.align import AlignConfig, align_vectors
from pipeline_lib.encoding.pieces import Pieces, overlaps
from pipeline_lib.encoding.transformer import Encoder, Reading
from pipeline_lib.encoding.windows import windows

ROUNDS = 3
BATCH = 8
PIECE = 4.4  # characters of clinical Spanish a piece of XLM-R's vocabulary, about
MEDIAN, SPREAD = 2150, 0.55  # characters of a document where none are given: log-normal
WHOLE = 8192  # tokens of a pass
SMALL = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


def encoding_rows(texts: Path | None, documents: int) -> list[Row]:
    """Tokens a second on documents of the lengths of a folder's texts; float32, and bfloat16 where the processor multiplies it."""
    lengths = document_lengths(texts, documents)
    row = packed_row(lengths, torch.float32)
    return [row, packed_row(lengths, torch.bfloat16)] if _multiplies_bfloat16() else [row, {"precision": "bfloat16", "ours": "absent"}]


def packed_row(lengths: Sequence[int], precision: torch.dtype) -> Row:
    encoder = random_encoder(SMALL, WHOLE, precision)
    readings = [reading(length, encoder) for length in lengths]
    order = random.Random(1).sample(range(len(readings)), len(readings))

    def ours() -> list[torch.Tensor]:
        with torch.inference_mode():
            return [encoder.vectors([read])[0] for read in readings]

    def padded() -> list[torch.Tensor]:
        found: dict[int, torch.Tensor] = {}
        with torch.inference_mode():
            for first in range(0, len(order), BATCH):
                batch = order[first : first + BATCH]
                found |= zip(batch, _padded(encoder, [readings[number] for number in batch]), strict=True)
        return [found[number] for number in range(len(readings))]

    tokens = sum(read.tokens for read in readings)
    times = median_ms({"ours": ours, "padded": padded}, ROUNDS)
    pairs = list(zip(ours(), padded(), strict=True))
    return {
        "precision": str(precision).removeprefix("torch."),
        "documents": len(lengths),
        "tokens": tokens,
        "longest": max(lengths),
        "ours_tokens_a_second": 1e3 * tokens / times["ours"],
        "padded_tokens_a_second": 1e3 * tokens / times["padded"],
        "padded_ratio": times["padded"] / times["ours"],
        "largest_difference": max(float((one - other).abs().max()) for one, other in pairs),
    }


def beside_row(texts: Path | None, documents: int) -> Row:
    """A student of XLM-R base's shape on pairs of documents: seconds in the encoder, and in all else from pieces to alignments."""
    encoder = random_encoder(BASE, 514, torch.float32)
    inside = [0.0]
    plain = encoder.model.forward

    def timed(*args: Any, **named: Any) -> Any:
        started = time.process_time()
        try:
            return plain(*args, **named)
        finally:
            inside[0] += time.process_time() - started

    encoder.model.forward = timed
    started = 0.0
    with torch.inference_mode():
        for number, length in enumerate([64, *document_lengths(texts, documents)]):  # the first one warms up, and compiles
            if number == 1:
                inside[0], started = 0.0, time.process_time()
            sides = [
                encoder.vectors([reading(size, encoder)])[0].numpy().astype(np.float16) for size in (length, max(1, round(0.9 * length)))
            ]
            align_vectors(*(side.astype(np.float32) for side in sides), AlignConfig())
    beside = time.process_time() - started - inside[0]
    return {"documents": documents, "encoder_s": inside[0], "beside_s": beside, "beside_share": beside / inside[0]}


def document_lengths(texts: Path | None, documents: int) -> list[int]:
    """Pieces of so many documents: of a folder's texts, drawn by a seed, or of a typical collection."""
    chance = random.Random(7)
    if texts is None:
        characters = [chance.lognormvariate(np.log(MEDIAN), SPREAD) for _ in range(documents)]
    else:
        found = sorted(texts.rglob("*.txt"))
        characters = [len(path.read_text(encoding="utf-8")) for path in chance.sample(found, min(documents, len(found)))]
    return [min(max(8, round(size / PIECE)), WHOLE - 2) for size in characters]


def random_encoder(shape: dict[str, int], positions: int, precision: torch.dtype) -> Encoder:
    torch.manual_seed(1)
    model = XLMRobertaModel(XLMRobertaConfig(vocab_size=8000, max_position_embeddings=positions + 2, **shape)).to(precision).eval()
    model.pooler = None
    return Encoder(model, SimpleNamespace(pad_token_id=1), 0, positions - 2, min(128, positions // 4), [0], [2], WHOLE)


def reading(length: int, encoder: Encoder) -> Reading:
    """A document of so many pieces, each a unit."""
    places = np.arange(length, dtype=np.int32)
    pieces = Pieces(np.random.default_rng(length).integers(5, 8000, length).tolist(), places, places + 1)
    return Reading(pieces, windows(length, encoder.room, encoder.overlap), overlaps(pieces, places.tolist(), (places + 1).tolist()), length)


def _padded(encoder: Encoder, readings: Sequence[Reading]) -> list[torch.Tensor]:
    longest = max(len(read.pieces.ids) for read in readings) + 2
    ids = torch.ones(len(readings), longest, dtype=torch.long)
    for row, read in enumerate(readings):
        ids[row, : len(read.pieces.ids) + 2] = torch.tensor([0, *read.pieces.ids, 2])
    states = encoder.model(input_ids=ids, attention_mask=(ids != 1).long()).last_hidden_state.float()
    vectors = torch.nn.functional.normalize(states, dim=2)
    return [vectors[row, 1 : len(read.pieces.ids) + 1] for row, read in enumerate(readings)]


def _multiplies_bfloat16() -> bool:
    capable = torch.backends.cpu.get_cpu_capability()
    return "AMX" in capable or bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())
