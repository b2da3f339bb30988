"""UNIT_VECTORS: what an encoder says of every unit of a shard's texts, written and read document by document."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from pydantic import BaseModel, Field

from data_contracts.alignment import UNIT_VECTORS
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.model_files import EncoderError
from pipeline_lib.encoding.transformer import Encoder, encode_texts

Vectors = npt.NDArray[np.float32]


class EncodeConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How encoders are run."""

    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on a GPU, float32 on a CPU")
    runtime: Literal["torch", "onnx-int8"] = Field("torch", description="onnx-int8: int8 weights on a CPU, needs the extra onnx")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or one GPU such as cuda:1")
    tokens: int = Field(16384, ge=1, description="tokens a pass at most, halved where the device's memory is too small")


def chosen_device(device: str, shard: int = 0) -> str:
    """The device that ``auto`` and ``cuda`` stand for: of several GPUs the shard's own. Raises ``EncoderError``."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cpu" or (device == "auto" and not count):
        return "cpu"
    if not count:
        raise EncoderError(f"setting encode.device is {device}, and there is no GPU here")
    number = int(device.partition(":")[2]) if ":" in device else shard % count
    if number >= count:
        raise EncoderError(f"setting encode.device is {device}, and there are {count} GPUs, from cuda:0 on")
    return f"cuda:{number}"


def chosen_precision(precision: str, device: str) -> torch.dtype:
    """The number format that ``auto`` stands for on a device."""
    wide = precision == "float32" or (precision == "auto" and device == "cpu")
    return torch.float32 if wide else torch.bfloat16


def vector_tables(texts: Mapping[str, GridText], lang: str, encoder: Encoder, at_once: int = 16) -> Iterator[pa.Table]:
    """UNIT_VECTORS of texts by document id, in parts of ``at_once`` documents."""
    return UNIT_VECTORS.parts(_vector_rows(texts, lang, encoder), at_once)


def _vector_rows(texts: Mapping[str, GridText], lang: str, encoder: Encoder) -> Iterator[dict[str, object]]:
    precision = str(encoder.model.dtype).removeprefix("torch.")
    for document, (reading, vectors) in zip(texts, encode_texts(encoder, list(texts.values())), strict=True):
        facts = {"units": reading.units, "width": encoder.width, "tokens": reading.tokens, "windows": len(reading.windows.starts)}
        yield {"document": document, "lang": lang, "vectors": vectors.ravel(), "precision": precision, **facts}


class InOrder:
    """The vectors of UNIT_VECTORS' parts, asked for in the order of their rows: no more than a part is in memory."""

    def __init__(self, parts: Iterable[pa.Table]) -> None:
        self._rows = _rows(parts)

    def of(self, document: str) -> Vectors:
        """Shape (units, width). Raises ``KeyError`` if the document does not come any more."""
        for name, vectors in self._rows:
            if name == document:
                return vectors
        raise KeyError(document)


def _rows(parts: Iterable[pa.Table]) -> Iterator[tuple[str, Vectors]]:
    for part in parts:
        values = part["vectors"].combine_chunks()
        facts: list[dict[str, Any]] = part.select(["document", "units", "width"]).to_pylist()
        for number, row in enumerate(facts):
            yield row["document"], values[number].values.to_numpy().reshape(row["units"], row["width"]).astype(np.float32)
