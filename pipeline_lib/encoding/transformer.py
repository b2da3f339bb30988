"""A transformer encoder as the run uses it: a text of any length in, one unit-length vector a unit out.

Only the transformer itself is used, with its tokenizer: no prompt, prefix or pooling that a library around it would add. The vectors are
its hidden states, brought to unit length (paper) and pooled over the pieces that share characters with a unit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pad_sequence

from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.hugging_face import auto_model
from pipeline_lib.encoding.model_files import EncoderError, ModelSource
from pipeline_lib.encoding.pieces import Overlaps, Pieces, cut, overlaps, read_tokenizer
from pipeline_lib.encoding.windows import Windows, windows

Spot = tuple[int, int]  # (text, window)
TEXTS_AT_ONCE = 64  # on a device that one text does not fill


@dataclass(frozen=True)
class Reading:
    """A text as an encoder will read it: its pieces, the windows over them, and the units that they make up."""

    pieces: Pieces
    windows: Windows
    overlaps: Overlaps
    units: int

    @property
    def tokens(self) -> int:
        """Pieces read, those in two windows twice."""
        return self.windows.length * len(self.windows.starts)

    def ids_of(self, window: int) -> list[int]:
        first = int(self.windows.starts[window])
        return self.pieces.ids[first : first + self.windows.length]


@dataclass
class Encoder:
    """A model with its tokenizer.

    Attributes:
        hidden_state: which hidden state is taken, 1 the first layer's; 0: the last. room: pieces a pass at most;
        overlap: pieces that neighbouring windows share; before, after: the special tokens around a window; at_once: tokens a pass at
        most, but never less than one window; halved where the device's memory is too small.
    """

    model: Any
    tokenizer: Any
    hidden_state: int
    room: int
    overlap: int
    before: list[int]
    after: list[int]
    at_once: int

    @property
    def width(self) -> int:
        """Dimensions of a vector."""
        return int(self.model.config.hidden_size)

    def read(self, text: GridText) -> Reading:
        """Cut a text into pieces and windows."""
        pieces = cut(self.tokenizer, text.text)
        over = windows(len(pieces.ids), self.room, self.overlap)
        return Reading(pieces, over, overlaps(pieces, text.starts, text.ends), len(text.starts))

    def vectors(self, readings: Sequence[Reading]) -> list[torch.Tensor]:
        """Unit-length vectors of each text's units, float32, shape (units, width); zero for a unit that meets no piece."""
        joined = [torch.zeros(len(reading.pieces.ids), self.width, device=self.model.device) for reading in readings]
        shares = [torch.from_numpy(reading.windows.weights()).to(self.model.device) for reading in readings]
        for spots, states in self._passes(readings):
            for (text, window), state in zip(spots, states, strict=True):
                first, length = int(readings[text].windows.starts[window]), readings[text].windows.length
                joined[text][first : first + length] += state[:length] * shares[text][window, :, None]
        return [self._pooled(normalize(states, dim=1), reading) for states, reading in zip(joined, readings, strict=True)]

    def _passes(self, readings: Sequence[Reading]) -> Iterator[tuple[Sequence[Spot], torch.Tensor]]:
        """States of all windows, shape (windows, length, width), windows of about one length a pass; fewer where memory is too small."""
        waiting = [(text, window) for text, reading in enumerate(readings) for window in range(len(reading.windows.starts))]
        waiting = [spot for spot in waiting if readings[spot[0]].pieces.ids]
        waiting.sort(key=lambda spot: readings[spot[0]].windows.length, reverse=True)
        while waiting:
            longest = readings[waiting[0][0]].windows.length + len(self.before) + len(self.after)
            spots = waiting[: max(1, self.at_once // longest)]
            try:
                states = self._states([readings[text].ids_of(window) for text, window in spots])
            except torch.OutOfMemoryError:
                if len(spots) == 1:
                    raise EncoderError(f"one window of {longest} tokens does not fit the memory of {self.model.device}") from None
                self.at_once = len(spots) // 2 * longest
                continue
            yield spots, states
            waiting = waiting[len(spots) :]

    def _states(self, windows: Sequence[list[int]]) -> torch.Tensor:
        whole = [torch.tensor([*self.before, *ids, *self.after]) for ids in windows]
        ids = pad_sequence(whole, batch_first=True, padding_value=self.tokenizer.pad_token_id or 0).to(self.model.device)
        lengths = torch.tensor([len(row) for row in whole], device=ids.device)
        mask = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
        given = self.model(input_ids=ids, attention_mask=mask, output_hidden_states=self.hidden_state > 0)
        states: torch.Tensor = given.hidden_states[self.hidden_state] if self.hidden_state else given.last_hidden_state
        return states[:, len(self.before) :].float()

    def _pooled(self, states: torch.Tensor, reading: Reading) -> torch.Tensor:
        units, pieces, characters = (
            torch.from_numpy(part).to(states.device)
            for part in (reading.overlaps.units, reading.overlaps.pieces, reading.overlaps.characters)
        )
        summed = torch.zeros(reading.units, states.shape[1], device=states.device)
        return normalize(summed.index_add(0, units, states[pieces] * characters[:, None]), dim=1)


def load_encoder(folder: Path, source: ModelSource, device: str, precision: torch.dtype, at_once: int) -> Encoder:
    """Read an encoder from its folder. Raises ``EncoderError`` where the weights are not those of the model that config.json tells of."""
    offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = read_tokenizer(folder)
    try:
        model, told = auto_model().from_pretrained(folder, use_safetensors=True, dtype=precision, output_loading_info=True, **offline)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"{source.model or folder.name}: cannot be read as an encoder ({type(error).__name__})") from None
    absent = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if absent:
        raise EncoderError(f"{source.model or folder.name}: the weights lack {len(absent)} of the model's tensors, such as {absent[0]}")
    model.pooler = None  # a vector a text, which nobody asks for
    before, after = special_tokens(tokenizer)
    hidden = _cut_layers(model, source)
    room = _most_tokens(model, tokenizer, source.window) - len(before) - len(after)
    if room <= source.overlap and source.window:
        raise EncoderError(f"{source.model}: a window of {source.window} tokens leaves no room for an overlap of {source.overlap} pieces")
    return Encoder(model.to(device).eval(), tokenizer, hidden, room, min(source.overlap, room // 2), before, after, at_once)


def encode_texts(encoder: Encoder, texts: Sequence[GridText]) -> Iterator[tuple[Reading, npt.NDArray[np.float16]]]:
    """Every text's reading and vectors, float16, shape (units, width), in order.

    On a CPU no two texts share a pass: nothing is padded, and what a text gives depends on no other text.
    """
    together = 1 if encoder.model.device.type == "cpu" else TEXTS_AT_ONCE
    with torch.inference_mode():
        for first in range(0, len(texts), together):
            readings = [encoder.read(text) for text in texts[first : first + together]]
            for reading, vectors in zip(readings, encoder.vectors(readings), strict=True):
                yield reading, vectors.to(torch.float16).cpu().numpy()


def special_tokens(tokenizer: Any) -> tuple[list[int], list[int]]:
    """What the tokenizer puts before and after a text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a", add_special_tokens=True)["input_ids"]
    first = next((i for i in range(len(whole)) if whole[i : i + len(plain)] == plain), 0)
    return whole[:first], whole[first + len(plain) :]


def _cut_layers(model: Any, source: ModelSource) -> int:
    """Leave the layers out that come after the wanted one, where the model is built so that its output is its last layer's."""
    layers = getattr(getattr(model, "encoder", None), "layer", None)
    depth, hidden_state = int(model.config.num_hidden_layers), source.hidden_state
    if hidden_state > depth:
        raise EncoderError(f"{source.model}: there is no hidden state {hidden_state}: the model has {depth} layers (setting hidden_state)")
    if not hidden_state or not isinstance(layers, torch.nn.ModuleList):
        return hidden_state
    model.encoder.layer = layers[:hidden_state]
    model.config.num_hidden_layers = hidden_state  # as it will be saved, where it is a student
    return 0


def _most_tokens(model: Any, tokenizer: Any, window: int) -> int:
    """Tokens a pass at most: what the setting, the tokenizer and the position embeddings allow."""
    positions = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)
    # RoBERTa and its kin count positions from the one after the padding's.
    taken = getattr(getattr(model, "embeddings", None), "padding_idx", None)
    allowed = [positions - (taken + 1 if taken is not None else 0), int(tokenizer.model_max_length), window or 1 << 30]
    return min(allowed)
