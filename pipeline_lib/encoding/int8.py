"""An encoder on ONNX Runtime with int8 weights: a quarter of the memory, and faster products on a CPU, for vectors that are about the same.

Needs the extra ``onnx``. The weights of all matrix products are rounded to int8, what they are multiplied with as it comes (dynamic
quantisation); nothing has to be calibrated.
"""

import importlib
import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import torch

from pipeline_lib.encoding.model_files import EncoderError, ModelSource, model_files
from pipeline_lib.encoding.pieces import read_tokenizer
from pipeline_lib.encoding.transformer import Encoder, special_tokens

GRAPH, FACTS = "model.int8.onnx", "int8.json"
EXAMPLE = (2, 16)  # windows and tokens that the graph is traced with; it takes any number of both


class _States(torch.nn.Module):
    """The one hidden state that is wanted."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.model, self.hidden_state = encoder.model, encoder.hidden_state

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        given = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=self.hidden_state > 0)
        states: torch.Tensor = given.hidden_states[self.hidden_state] if self.hidden_state else given.last_hidden_state
        return states


class Int8Model:
    """Stands where a torch model stands in an ``Encoder``."""

    device = torch.device("cpu")
    dtype = "int8"

    def __init__(self, graph: Path, width: int, threads: int) -> None:
        runtime = _needed("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        self.config = SimpleNamespace(hidden_size=width)
        self._session = runtime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: bool) -> SimpleNamespace:
        given = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        return SimpleNamespace(last_hidden_state=torch.from_numpy(self._session.run(None, given)[0]))


def write_int8(encoder: Encoder, origin: Path, folder: Path) -> None:
    """Write the encoder's graph, and beside it what else is read of the model's folder ``origin`` but its weights."""
    _needed("onnx"), _needed("onnxscript"), _needed("onnxruntime")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    ids = torch.full(EXAMPLE, 5)
    sizes = {0: torch.export.Dim("windows", min=1, max=1 << 20), 1: torch.export.Dim("tokens", min=2, max=1 << 20)}
    with TemporaryDirectory(prefix="spanferry-") as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter speaks of its own future
        whole = Path(scratch) / "model.onnx"
        torch.onnx.export(
            _States(encoder),
            (ids, torch.ones_like(ids)),
            whole,
            input_names=["input_ids", "attention_mask"],
            output_names=["states"],
            dynamic_shapes={"input_ids": sizes, "attention_mask": sizes},
            external_data=True,  # a file of the graph's own format holds two gigabytes at most
            verbose=False,
        )
        quantize_dynamic(whole, folder / GRAPH, weight_type=QuantType.QInt8)
    for name in model_files(origin, weights=False):
        (folder / name).write_bytes((origin / name).read_bytes())
    (folder / FACTS).write_text(json.dumps({"width": encoder.width, "room": encoder.room}), encoding="utf-8")


def is_int8(folder: Path) -> bool:
    """Whether ``write_int8`` wrote this folder."""
    return (folder / FACTS).is_file()


def load_int8(folder: Path, source: ModelSource, at_once: int, threads: int = 1) -> Encoder:
    """The encoder that ``write_int8`` wrote."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    tokenizer = read_tokenizer(folder)
    before, after = special_tokens(tokenizer)
    model = Int8Model(folder / GRAPH, facts["width"], threads)
    return Encoder(model, tokenizer, 0, facts["room"], min(source.overlap, facts["room"] // 2), before, after, at_once)


def _needed(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise EncoderError(f"encode.runtime=onnx-int8 needs {package}: pip install 'spanferry[onnx]'") from None
